package responses

import (
	"fmt"

	"github.com/switchyard/switchyard/extproc/dialect"
	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// content reads a text or a list of parts. The error continues the name of the
// field that holds them.
func (r *reader) content(value []byte) ([]dialect.Part, error) {
	switch rawjson.Kind(value) {
	case '"':
		r.request.PromptBytes += int64(len(value) - 2)
		return []dialect.Part{{Kind: dialect.PartText, Text: rawjson.Text(value)}}, nil
	case '[':
	default:
		return nil, fmt.Errorf("' must be a string or an array of parts")
	}
	var parts []dialect.Part
	i := 0
	for c := rawjson.Walk(value); c.Next(); i++ {
		part, err := r.part(c.Value)
		if err != nil {
			return nil, fmt.Errorf(".%d': %w", i, err)
		}
		part.CacheControl = dialect.CacheMarker(c.Value)
		parts = append(parts, part)
	}
	return parts, nil
}

// output reads what a tool answered: this API's parts, or MCP's result.
func (r *reader) output(value []byte) (dialect.ToolResult, error) {
	switch rawjson.Kind(value) {
	case '[', '{':
	default:
		parts, err := r.content(value)
		return dialect.ToolResult{Parts: parts}, err
	}
	size, images := r.request.PromptBytes, r.request.Images // without what Native counts
	result, err := dialect.ForeignBlocks{Native: func(value []byte) (dialect.Part, error) {
		part, err := r.part(value)
		part.CacheControl = dialect.CacheMarker(value)
		return part, err
	}}.Result(value)
	for i := range result.Parts {
		switch part := &result.Parts[i]; part.Kind {
		case dialect.PartText:
			size += int64(len(part.Text))
		case dialect.PartImage:
			r.modality("image")
			images++
		case dialect.PartAudio:
			r.modality("audio")
		case dialect.PartFile:
			r.modality("file")
		case dialect.PartToolCall, dialect.PartToolResult, dialect.PartReasoning:
			return result, fmt.Errorf(".%d' does not belong into a tool's output", i)
		}
	}
	r.request.PromptBytes, r.request.Images = size, images
	return result, err
}

func (r *reader) part(value []byte) (dialect.Part, error) {
	get := func(object []byte, name string) string { return rawjson.Text(rawjson.Get(object, name)) }
	switch kind := get(value, "type"); kind {
	case "input_text", "output_text", "text":
		said := get(value, "text")
		r.request.PromptBytes += int64(len(said))
		return dialect.Part{Kind: dialect.PartText, Text: said}, nil
	case "refusal":
		return dialect.Part{Kind: dialect.PartRefusal, Text: get(value, "refusal")}, nil
	case "input_image":
		media := dialect.MediaAt(get(value, "image_url"))
		media.FileID, media.Detail = get(value, "file_id"), get(value, "detail")
		return r.media(dialect.PartImage, "image", media)
	case "input_file":
		media := dialect.MediaAt(get(value, "file_data"))
		if media == (dialect.Media{}) {
			media = dialect.MediaAt(get(value, "file_url"))
		}
		media.FileID, media.Name = get(value, "file_id"), get(value, "filename")
		return r.media(dialect.PartFile, "file", media)
	case "input_video":
		return r.media(dialect.PartVideo, "video", dialect.MediaAt(get(value, "video_url")))
	case "input_audio":
		audio := rawjson.Get(value, kind)
		return r.media(dialect.PartAudio, "audio", dialect.Media{Data: get(audio, "data"), Type: get(audio, "format")})
	default:
		return dialect.Part{}, fmt.Errorf("unknown type %q", kind)
	}
}

func (r *reader) media(kind dialect.PartKind, modality string, media dialect.Media) (dialect.Part, error) {
	if media.URL == "" && media.Data == "" && media.FileID == "" {
		return dialect.Part{}, fmt.Errorf("it holds neither a URL nor data")
	}
	r.modality(modality)
	if kind == dialect.PartImage {
		r.request.Images++
	}
	return dialect.Part{Kind: kind, Media: &media}, nil
}
