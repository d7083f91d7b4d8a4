package gemini

import (
	"slices"
	"strconv"
	"sync"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// Parse checks a request once, strictly as JSON and as far as the gateway itself
// relies on it; what is beyond that is between the client and the provider.
func (c Client) Parse(body []byte) (*dialect.Request, error) {
	if c.embeds() {
		return c.parseEmbeddings(body)
	}
	document, err := dialect.Document(body)
	if err != nil {
		return nil, err
	}
	if c.method == countTokens {
		if inner := get(document.Text, "generateContentRequest"); inner != nil {
			document = &rawjson.Document{Text: inner} // which holds what to count with all that goes with it
		}
	}
	text := document.Text
	p := parser{
		request: &dialect.Request{Dialect: Name, Raw: text, Model: c.model, Stream: c.method == streamGenerateContent},
		parsed:  parsed{plain: true},
	}
	given := fields{}
	for m := document.Walk(); m.Open(); {
		name := camel(m.Name)
		if rawjson.Kind(m.Value) != 'n' {
			if err := given.once("", name); err != nil {
				return nil, err
			}
		}
		var err error
		if name == "contents" && rawjson.Kind(m.Value) == '[' {
			err = p.readContents(&m)
		} else if m.Close() && rawjson.Present(m.Value) {
			err = p.member(string(m.Name), name, m.Value)
		}
		if err != nil {
			return nil, err
		}
		if rawjson.Present(m.Value) {
			p.parsed.members = append(p.parsed.members, m)
		}
	}
	if err := p.complete(); err != nil {
		return nil, err
	}
	p.request.Parsed = &p.parsed
	p.request.Chat = sync.OnceValues(func() (*dialect.Chat, error) { return readChat(text) })
	return p.request, nil
}

// Answer counts the tokens of a request that asks for nothing else, by its tokenizer. It
// reads no images.
func (c Client) Answer(request *dialect.Request) ([]byte, bool) {
	if c.method != countTokens {
		return nil, false
	}
	tokens := strconv.FormatInt(request.PromptTokens(), 10)
	return []byte(`{"totalTokens":` + tokens + `,"promptTokensDetails":[{"modality":"TEXT","tokenCount":` + tokens + `}]}`), true
}

// parsed is what Parse keeps for a provider of the same dialect.
type parsed struct {
	// plain: the contents hold nothing that the API itself would refuse, and can be
	// copied as they stand.
	plain bool
	// members are those of the request that are not null, each as it was found.
	members []rawjson.Cursor
}

// parser collects what policy reads.
type parser struct {
	request  *dialect.Request
	parsed   parsed
	contents bool
	web      bool   // the model is to search the web
	model    bool   // the turn before is the model's
	turnPath string // of the turn that is read, where it is not one of contents
	opening  dialect.Opening
}

// member reads a member of the request, whose name is also given in camel case.
func (p *parser) member(name, field string, value []byte) error {
	r := p.request
	switch field {
	case "contents":
		return dialect.Invalid("'contents' must be an array.")
	case "systemInstruction":
		return p.instructions(value)
	case "tools":
		return p.tools(value)
	case "toolConfig":
		return p.toolConfig(value)
	case "generationConfig":
		return p.generationConfig(value)
	case "safetySettings":
		if rawjson.Kind(value) != '[' {
			return dialect.Invalid("'safetySettings' must be an array.")
		}
		return nil
	case "cachedContent":
		var cached string
		err := dialect.ReadText(&cached, field, value)
		r.ReadsMore = r.ReadsMore || cached != ""
		return err
	case "serviceTier":
		if err := dialect.ReadText(&r.ServiceTier, field, value); err != nil {
			return err
		}
		r.ServiceTier = tierOf(r.ServiceTier)
		return nil
	case "user":
		return dialect.ReadName(&r.User, name, value)
	case "model":
		if r.Model != "" {
			return nil // the path has said it
		}
	}
	_, err := dialect.ReadRouting(r, name, value)
	return err
}

// tierOf puts a tier of the API into the gateway's terms (spec section 3.7).
func tierOf(tier string) string {
	switch tier {
	case "standard", "SERVICE_TIER_STANDARD", "unspecified", "SERVICE_TIER_UNSPECIFIED":
		return "default"
	case "SERVICE_TIER_FLEX":
		return "flex"
	case "SERVICE_TIER_PRIORITY":
		return "priority"
	}
	return tier
}

func (p *parser) complete() error {
	r := p.request
	if !p.contents {
		return dialect.Invalid("'contents' is missing.")
	}
	if p.web {
		r.Plugins = dialect.WithWebPlugin(r.Plugins)
	}
	r.Conversation = p.opening.Hash()
	slices.Sort(r.Parameters)
	r.Parameters = slices.Compact(r.Parameters)
	slices.Sort(r.InputModalities)
	return nil
}

// parameter notes a request parameter by its name in the catalog.
func (p *parser) parameter(name string) { p.request.Parameters = append(p.request.Parameters, name) }
