package responses

import (
	"bytes"
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// content reads a text or a list of parts. The error continues the name of the
// field that holds them.
func (r *reader) content(content *rawjson.Cursor) ([]dialect.Part, error) {
	switch rawjson.Kind(content.Value) {
	case '"':
		r.request.PromptBytes += rawjson.Size(content.Value)
		return r.said(content.Value), nil
	case '[':
	default:
		return nil, fmt.Errorf("' must be a string or an array of parts")
	}
	var parts []dialect.Part
	list := content.Walk()
	for i := 0; list.Open(); i++ {
		fields := list.Walk()
		part, err := r.part(readPart(&fields))
		if err != nil {
			return nil, fmt.Errorf(".%d': %w", i, err)
		}
		switch rawjson.Kind(list.Value) {
		case '{', '[':
			list.CloseAfter(&fields)
		default:
			list.Close()
		}
		if !r.light {
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// output reads what a tool answered: this API's parts, or MCP's result.
func (r *reader) output(value []byte) (dialect.ToolResult, error) {
	switch rawjson.Kind(value) {
	case '[', '{':
	default:
		parts, err := r.content(&rawjson.Cursor{Value: value})
		return dialect.ToolResult{Parts: parts}, err
	}
	r.parsed.plain = false
	light := r.light
	r.light = false // what is foreign is measured by its texts
	defer func() { r.light = light }()
	size, images, shown := r.request.PromptBytes, r.request.Images, r.request.ImageBytes // without what Native counts
	result, err := dialect.ForeignBlocks{Native: func(value []byte) (dialect.Part, error) {
		fields := rawjson.Walk(value)
		return r.part(readPart(&fields))
	}}.Result(value)
	for i := range result.Parts {
		switch part := &result.Parts[i]; part.Kind {
		case dialect.PartText:
			size += int64(len(part.Text))
		case dialect.PartImage:
			r.modality("image")
			images++
			shown += int64(len(part.Media.Data))
		case dialect.PartAudio:
			r.modality("audio")
		case dialect.PartFile:
			r.modality("file")
		case dialect.PartToolCall, dialect.PartToolResult, dialect.PartReasoning:
			return result, fmt.Errorf(".%d' does not belong into a tool's output", i)
		}
	}
	r.request.PromptBytes, r.request.Images, r.request.ImageBytes = size, images, shown
	return result, err
}

// part is one of a content, as the client wrote it: the values of its fields.
type part struct {
	kind, text, refusal        []byte
	imageURL, videoURL, detail []byte
	fileData, fileURL          []byte
	fileID, filename           []byte
	audio, cacheControl        []byte
}

func readPart(fields *rawjson.Cursor) part {
	var p part
	for fields.Next() {
		switch string(fields.Name) {
		case "type":
			p.kind = rawjson.Unquote(fields.Value)
		case "text":
			p.text = fields.Value
		case "refusal":
			p.refusal = fields.Value
		case "image_url":
			p.imageURL = fields.Value
		case "video_url":
			p.videoURL = fields.Value
		case "detail":
			p.detail = fields.Value
		case "file_data":
			p.fileData = fields.Value
		case "file_url":
			p.fileURL = fields.Value
		case "file_id":
			p.fileID = fields.Value
		case "filename":
			p.filename = fields.Value
		case "input_audio":
			p.audio = fields.Value
		case "cache_control":
			p.cacheControl = fields.Value
		}
	}
	return p
}

func (r *reader) part(p part) (dialect.Part, error) {
	r.parsed.plain = r.parsed.plain && p.cacheControl == nil
	var read dialect.Part
	var err error
	switch string(p.kind) {
	case "input_text", "output_text", "text":
		r.request.PromptBytes += rawjson.Size(p.text)
		read.Kind, read.Text = dialect.PartText, r.copied(p.text)
	case "refusal":
		read.Kind, read.Text = dialect.PartRefusal, r.copied(p.refusal)
	case "input_image":
		read.Kind = dialect.PartImage
		read.Media, err = r.media("image", p, p.imageURL, p.fileID)
	case "input_file":
		at := p.fileData
		if !leadsToMedia(at) {
			at = p.fileURL
		}
		read.Kind = dialect.PartFile
		read.Media, err = r.media("file", p, at, p.fileID)
	case "input_video":
		read.Kind = dialect.PartVideo
		read.Media, err = r.media("video", p, p.videoURL, nil)
	case "input_audio":
		read.Kind = dialect.PartAudio
		read.Media, err = r.media("audio", p, rawjson.Get(p.audio, "data"), nil)
	default:
		err = fmt.Errorf("unknown type %q", p.kind)
	}
	if rawjson.Kind(p.cacheControl) == '{' {
		read.CacheControl = p.cacheControl
	}
	return read, err
}

// copied is a text, or "" where none is to be kept.
func (r *reader) copied(value []byte) string {
	if r.light {
		return ""
	}
	return rawjson.Text(value)
}

// media is what a part holds, of a modality: what is at a URL, which of sounds is the
// data, or a file by its id. It is nil where nothing is to be kept.
func (r *reader) media(modality string, p part, at, fileID []byte) (*dialect.Media, error) {
	if !leadsToMedia(at) && len(rawjson.Unquote(fileID)) == 0 {
		return nil, fmt.Errorf("it holds neither a URL nor data")
	}
	if r.request.Hold(modality); modality == "image" {
		r.request.ImageBytes += dialect.InlineSize(at)
	}
	if r.light {
		return nil, nil
	}
	if modality == "audio" {
		return &dialect.Media{Data: rawjson.Text(at), Type: rawjson.Text(rawjson.Get(p.audio, "format"))}, nil
	}
	media := dialect.MediaAt(rawjson.Text(at))
	media.FileID = rawjson.Text(fileID)
	switch modality {
	case "image":
		media.Detail = rawjson.Text(p.detail)
	case "file":
		media.Name = rawjson.Text(p.filename)
	}
	return &media, nil
}

// leadsToMedia reports whether [dialect.MediaAt] finds anything at a URL, which may be
// megabytes of data.
func leadsToMedia(value []byte) bool {
	url := rawjson.Unquote(value)
	empty := bytes.HasPrefix(url, []byte("data:")) && bytes.HasSuffix(url, []byte(";base64,")) && bytes.IndexByte(url, ',') == len(url)-1
	return len(url) > 0 && !empty
}
