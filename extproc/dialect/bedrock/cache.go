package bedrock

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/switchyard/switchyard/extproc/dialect/rawjson"
)

// mostCachePoints is how many of them a request may have.
const mostCachePoints = 4

// cachePoints puts one behind each place that the client has marked. Those in front
// count first, as they do for the model.
func (b *builder) cachePoints() {
	left := mostCachePoints
	if !b.family.caches() {
		left = 0
	}
	b.cacheTools(&left)
	b.request.System = b.cacheBlocks(b.request.System, &left)
	for i := range b.request.Messages {
		t := &b.request.Messages[i]
		t.Content = b.cacheBlocks(t.Content, &left)
	}
	if b.chat.CacheControl != nil {
		last := &b.request.Messages[len(b.request.Messages)-1]
		if end := last.Content[len(last.Content)-1]; end.CachePoint != nil {
			return
		}
		if point := b.cachePoint(b.chat.CacheControl, &left); point != nil {
			last.Content = append(last.Content, block{CachePoint: point})
		}
	}
}

// cacheTools puts cache points behind tools, where only Claude takes them.
func (b *builder) cacheTools(left *int) {
	if b.request.ToolConfig == nil {
		return
	}
	var tools []tool
	for i, t := range b.request.ToolConfig.Tools {
		tools = append(tools, t)
		if i >= len(b.markers) || b.markers[i] == nil {
			continue
		}
		if b.family != claude {
			b.drop("cache_control")
		} else if point := b.cachePoint(b.markers[i], left); point != nil {
			tools = append(tools, tool{CachePoint: point})
		}
	}
	b.request.ToolConfig.Tools = tools
}

func (b *builder) cacheBlocks(blocks []block, left *int) []block {
	var all []block
	for i := range blocks {
		all = append(all, blocks[i])
		if blocks[i].marker == nil {
			continue
		}
		if point := b.cachePoint(blocks[i].marker, left); point != nil {
			all = append(all, block{CachePoint: point})
		}
	}
	return all
}

// cachePoint is nil where there may be none.
func (b *builder) cachePoint(marker jsontext.Value, left *int) *cachePoint {
	if *left == 0 {
		b.drop("cache_control")
		return nil
	}
	*left--
	point := &cachePoint{Type: "default"}
	// Five minutes are the default everywhere.
	if ttl := rawjson.Text(rawjson.Get(marker, "ttl")); ttl == "1h" {
		if cachesForAnHour(b.target.Model) {
			point.TTL = ttl
		} else {
			b.drop("cache_control.ttl")
		}
	}
	return point
}
