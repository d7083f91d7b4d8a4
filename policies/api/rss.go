package api

import (
	"encoding/xml"
	"net/http"
	"time"
)

type feed struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Channel channel  `xml:"channel"`
}

type channel struct {
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	Description string `xml:"description"`
	Items       []item `xml:"item"`
}

type item struct {
	Title       string  `xml:"title"`
	Link        string  `xml:"link"`
	Description string  `xml:"description,omitempty"`
	GUID        guid    `xml:"guid"`
	Published   *string `xml:"pubDate"`
}

// guid is the id of a model, which is no link.
type guid struct {
	IsPermaLink bool   `xml:"isPermaLink,attr"`
	ID          string `xml:",chardata"`
}

// replyFeed writes models as RSS 2.0. Links are to where the client found the gateway.
func replyFeed(w http.ResponseWriter, r *http.Request, entries []*entry) {
	base := "http://" + r.Host
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		base = "https://" + r.Host
	}
	answer := feed{Version: "2.0", Channel: channel{
		Title: "Models", Link: base + "/api/v1/models", Description: "The models that this gateway serves.",
	}}
	for _, e := range entries {
		shown := item{Title: e.shown.Name, Link: base + e.shown.Links.Details, Description: e.shown.Description, GUID: guid{ID: e.shown.ID}}
		if e.shown.Created != 0 {
			published := time.Unix(e.shown.Created, 0).UTC().Format(time.RFC1123Z)
			shown.Published = &published
		}
		answer.Channel.Items = append(answer.Channel.Items, shown)
	}
	text, err := xml.Marshal(answer)
	if err != nil {
		panic("api: a feed does not marshal: " + err.Error())
	}
	replyText(w, http.StatusOK, "application/rss+xml", append([]byte(xml.Header), text...))
}
