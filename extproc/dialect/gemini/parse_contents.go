package gemini

import (
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// instructions reads the system's part of the prompt, a content without a role.
func (p *parser) instructions(value []byte) error {
	if rawjson.Kind(value) != '{' || rawjson.Kind(get(value, "parts")) != '[' {
		return dialect.Invalid("'systemInstruction' must be an object with an array of parts.")
	}
	p.opening.Instructions.See(get(value, "parts"))
	i := 0
	for c := rawjson.Walk(get(value, "parts")); c.Next(); i++ {
		text := get(c.Value, "text")
		if rawjson.Kind(text) != '"' {
			return dialect.Invalid("'systemInstruction.parts.%d.text' must be a string.", i)
		}
		p.request.PromptBytes += rawjson.Size(text)
	}
	return nil
}

// readContents checks the turns as far as the gateway relies on them, and notes what
// they hold.
func (p *parser) readContents(member *rawjson.Cursor) error {
	p.contents = true
	i := 0
	contents := member.Walk()
	for ; contents.Open(); i++ {
		if err := p.readContent(i, &contents); err != nil {
			return err
		}
	}
	if i == 0 {
		return dialect.Invalid("'contents' must have at least one item.")
	}
	member.CloseAfter(&contents)
	return nil
}

// holding is what the parts of one turn are.
type holding struct{ anything, call, result, bound bool }

func (p *parser) readContent(i int, content *rawjson.Cursor) error {
	if rawjson.Kind(content.Value) != '{' {
		return dialect.Invalid("'%s' must be an object.", p.turn(i))
	}
	var role, parts []byte
	var held holding
	c := content.Walk()
	for c.Open() {
		name := camel(c.Name)
		if name == "parts" && rawjson.Kind(c.Value) == '[' {
			if err := p.readParts(i, &c, &held); err != nil {
				return err
			}
			parts = c.Value
			continue
		}
		c.Close()
		switch {
		case !rawjson.Present(c.Value):
		case name == "role":
			role = rawjson.Unquote(c.Value)
		case name == "parts":
			return dialect.Invalid("'%s.parts' must be an array.", p.turn(i))
		}
	}
	content.CloseAfter(&c)
	switch string(role) {
	case "", "user", "model", "function":
	default:
		return dialect.Invalid("'%s.role' must be one of user and model.", p.turn(i))
	}
	model := string(role) == "model"
	p.parsed.plain = p.parsed.plain && !(model && p.model)
	p.model = model
	p.opening.First.See(parts)
	if !held.anything && len(parts) > len("[]") && !model {
		return dialect.Invalid("'%s.parts' holds nothing; give it a text, inlineData, fileData, functionCall or functionResponse.", p.turn(i))
	}
	if model {
		p.request.BoundReasoning = p.request.BoundReasoning || held.call && held.bound
	} else {
		// What goes on with a tool loop answers its calls.
		p.request.BoundReasoning = p.request.BoundReasoning && held.result
	}
	return nil
}

// turn is where a turn is in the request.
func (p *parser) turn(i int) string {
	if p.turnPath != "" {
		return p.turnPath
	}
	return fmt.Sprintf("contents.%d", i)
}

func (p *parser) readParts(i int, member *rawjson.Cursor, held *holding) error {
	parts := member.Walk()
	for j := 0; parts.Open(); j++ {
		if rawjson.Kind(parts.Value) != '{' {
			return dialect.Invalid("'%s.parts.%d' must be an object.", p.turn(i), j)
		}
		if err := p.readPart(i, j, &parts, held); err != nil {
			return err
		}
	}
	member.CloseAfter(&parts)
	return nil
}

func (p *parser) readPart(i, j int, part *rawjson.Cursor, held *holding) error {
	at := func(message string) error {
		return dialect.Invalid("'%s.parts.%d."+message, p.turn(i), j)
	}
	silent, called, signed := true, false, false
	c := part.Walk()
	for c.Next() {
		name := camel(c.Name)
		// The API refuses a part that has nothing but a text which is empty; yet SDKs
		// keep the chunks of a stream, which the API itself ends with one.
		silent = silent && (name == "thought" || name == "text" && string(c.Value) == `""`)
		if !rawjson.Present(c.Value) {
			continue
		}
		held.anything = true
		switch name {
		case "text":
			if rawjson.Kind(c.Value) != '"' {
				return at("text' must be a string.")
			}
			p.request.PromptBytes += rawjson.Size(c.Value)
		case "inlineData":
			kind := rawjson.Text(get(c.Value, "mimeType"))
			if rawjson.Kind(get(c.Value, "data")) != '"' || kind == "" {
				return at("inlineData' must have data and a mimeType.")
			}
			if dialect.IsEmpty(rawjson.Unquote(get(c.Value, "data"))) {
				return at("inlineData.data' holds no data.")
			}
			p.shown(kind, int64(len(get(c.Value, "data"))))
		case "fileData":
			if rawjson.Kind(get(c.Value, "fileUri")) != '"' {
				return at("fileData.fileUri' must be a string.")
			}
			p.shown(fileKind(c.Value), 0)
		case "functionCall":
			held.call, called = true, true
			if rawjson.Text(get(c.Value, "name")) == "" {
				return at("functionCall.name' must be a string.")
			}
			p.request.PromptBytes += int64(len(get(c.Value, "args")))
		case "functionResponse":
			held.result = true
			if rawjson.Text(get(c.Value, "name")) == "" {
				return at("functionResponse.name' must be a string.")
			}
			p.request.PromptBytes += int64(len(get(c.Value, "response")))
			for shown := rawjson.Walk(get(c.Value, "parts")); shown.Next(); {
				if data := get(shown.Value, "inlineData"); data != nil {
					p.shown(rawjson.Text(get(data, "mimeType")), int64(len(get(data, "data"))))
				}
			}
		case "thoughtSignature":
			signature := rawjson.Unquote(c.Value)
			if signature == nil {
				return at("thoughtSignature' must be a string with base64.")
			}
			signed = true
			held.bound = held.bound || len(signature) > 0
			p.parsed.plain = p.parsed.plain && !isSealed(signature)
		}
	}
	part.CloseAfter(&c)
	// A call that some other model made lacks what newer models of the API demand.
	p.parsed.plain = p.parsed.plain && !silent && (signed || !called)
	return nil
}

// shown notes the modality of data of a media type, of which so many bytes are in the
// request.
func (p *parser) shown(kind string, size int64) {
	switch mediaKind(kind) {
	case dialect.PartImage:
		p.request.HoldImage(size)
	case dialect.PartAudio:
		p.request.Hold("audio")
	case dialect.PartVideo:
		p.request.Hold("video")
	case dialect.PartFile:
		p.request.Hold("file")
	}
}

// silent reports whether a part has nothing but a text that is empty. The API refuses
// such a part; yet SDKs keep the chunks of a stream, which the API itself ends with one.
func silent(part []byte) bool {
	for c := rawjson.Walk(part); c.Next(); {
		switch name := camel(c.Name); {
		case name == "thought", name == "text" && string(c.Value) == `""`:
		default:
			return false
		}
	}
	return true
}
