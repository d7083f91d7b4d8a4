package dialect

import (
	"slices"
	"strings"
)

// Inliner is a provider dialect whose providers do not fetch all media from where a
// URL points: some they take only as bytes, in the request itself.
//
// The data path fetches those, once for all attempts at a request, and Request then
// finds Media with Data and Type and no URL. Where the gateway is configured to fetch
// nothing, Request gets the URL all the same, and refuses it in words that tell the
// client to send the data.
type Inliner interface {
	// NeedsBytes reports whether target takes a part only as bytes. It is asked of
	// parts whose Media is at an http or https URL, those in results of tools
	// included. It must be a pure function of its arguments.
	NeedsBytes(part *Part, target Target) bool
}

// OwnInliner is an [Inliner] whose providers fetch no more from where a request of their
// own dialect points. Such a request is edited and not translated.
type OwnInliner interface {
	Inliner
	// RemoteIn lists what is to be fetched for a request of the dialect, in the order in
	// which it stands there. Request finds it in Fetched.
	RemoteIn(request *Request) []Remote
}

// Remote is a piece of media that has to be fetched: where it is, and as what the
// client uses it.
type Remote struct {
	Kind PartKind
	URL  string
}

// IsRemote reports whether the piece is at an http or https URL.
func (r Remote) IsRemote() bool { return isRemote(r.URL) }

// RemoteMedia lists what has to be fetched before provider can be asked, each piece
// once, in the order in which they stand. Nothing has to for a provider that speaks the
// client's own dialect, unless it is an [OwnInliner]. The error is that of the request's
// Chat.
func RemoteMedia(request *Request, provider Provider, target Target) ([]Remote, error) {
	inliner, ok := provider.(Inliner)
	if !ok || len(request.InputModalities) == 0 {
		return nil, nil
	}
	if request.passesTo(provider) {
		return remoteInOwn(request, inliner), nil
	}
	chat, err := request.Chat()
	if err != nil {
		return nil, err
	}
	var remote []Remote
	known := make(map[Remote]bool)
	for i := range chat.Messages {
		eachPart(chat.Messages[i].Parts, func(part *Part) {
			if part.Media == nil || !isRemote(part.Media.URL) || !inliner.NeedsBytes(part, target) {
				return
			}
			if piece := (Remote{Kind: part.Kind, URL: part.Media.URL}); !known[piece] {
				known[piece] = true
				remote = append(remote, piece)
			}
		})
	}
	return remote, nil
}

func remoteInOwn(request *Request, inliner Inliner) []Remote {
	own, ok := inliner.(OwnInliner)
	if !ok {
		return nil
	}
	var remote []Remote
	for _, piece := range own.RemoteIn(request) {
		if isRemote(piece.URL) && !slices.Contains(remote, piece) {
			remote = append(remote, piece)
		}
	}
	return remote
}

func eachPart(parts []Part, visit func(*Part)) {
	for i := range parts {
		if result := parts[i].Result; result != nil {
			eachPart(result.Parts, visit)
		}
		visit(&parts[i])
	}
}

func isRemote(url string) bool { return hasScheme(url, "https") || hasScheme(url, "http") }

// hasScheme compares as RFC 3986 (section 3.1) does: in either case.
func hasScheme(url, scheme string) bool {
	rest, ok := url[:min(len(url), len(scheme))], len(url) > len(scheme)+3
	return ok && strings.EqualFold(rest, scheme) && strings.HasPrefix(url[len(scheme):], "://")
}

// WithMedia is the request with what was fetched in the place of its URLs. Of a piece,
// Data and Type are taken. The request itself stays as it is.
func (r *Request) WithMedia(fetched map[Remote]Media) *Request {
	inlined := *r
	inlined.Fetched = fetched
	inlined.Chat = func() (*Chat, error) {
		chat, err := r.Chat()
		if err != nil {
			return nil, err
		}
		changed := *chat
		changed.Messages = make([]Message, len(chat.Messages))
		for i, message := range chat.Messages {
			message.Parts = inlineParts(message.Parts, fetched)
			changed.Messages[i] = message
		}
		return &changed, nil
	}
	return &inlined
}

// inlineParts returns parts itself if nothing of it is to change.
func inlineParts(parts []Part, fetched map[Remote]Media) []Part {
	var changed []Part
	change := func(i int) *Part {
		if changed == nil {
			changed = append(changed, parts...)
		}
		return &changed[i]
	}
	for i := range parts {
		if result := parts[i].Result; result != nil {
			if inner := inlineParts(result.Parts, fetched); len(inner) > 0 && &inner[0] != &result.Parts[0] {
				answer := *result
				answer.Parts = inner
				change(i).Result = &answer
			}
		}
		if media := parts[i].Media; media != nil {
			if piece, ok := fetched[Remote{Kind: parts[i].Kind, URL: media.URL}]; ok {
				inline := *media
				inline.URL, inline.Data, inline.Type = "", piece.Data, piece.Type
				change(i).Media = &inline
			}
		}
	}
	if changed == nil {
		return parts
	}
	return changed
}
