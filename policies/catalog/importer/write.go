package importer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// YAML writes a catalog as a file that the configuration takes: an endpoint a
// line, so that a change of a price is a change of one line, and lists that repeat
// only once. The same catalog gives the same bytes. Each line of the comment is
// put at the top.
func YAML(catalog *configpb.Config, comment string) []byte {
	w := &writer{repeated: repeatedLists(catalog), written: map[string]bool{}}
	for line := range strings.Lines(comment) {
		w.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
	fields := catalog.ProtoReflect().Descriptor().Fields()
	for _, name := range []protoreflect.Name{"providers", "models"} {
		entries := catalog.ProtoReflect().Get(fields.ByName(name)).Map()
		if entries.Len() == 0 {
			continue
		}
		w.WriteString(string(name) + ":\n")
		for _, key := range sortedKeys(entries) {
			w.entry(key, entries.Get(protoreflect.ValueOfString(key).MapKey()).Message())
		}
	}
	return w.Bytes()
}

type writer struct {
	bytes.Buffer
	// repeated lists are written once, with an anchor, and referred to from then on.
	repeated map[string]bool
	written  map[string]bool
}

// entry writes a provider or a model: a field a line, and of lists of messages an
// item a line.
func (w *writer) entry(key string, message protoreflect.Message) {
	w.WriteString("  " + scalarText(key) + ":\n")
	for i := range message.Descriptor().Fields().Len() {
		field := message.Descriptor().Fields().Get(i)
		if !message.Has(field) {
			continue
		}
		w.WriteString("    " + string(field.Name()) + ":")
		if field.IsList() && field.Message() != nil {
			for j := range message.Get(field).List().Len() {
				w.WriteString("\n    - ")
				w.message(message.Get(field).List().Get(j).Message())
			}
		} else {
			w.WriteByte(' ')
			w.field(message.Get(field), field)
		}
		w.WriteByte('\n')
	}
}

// message writes {field: value, ...} on one line.
func (w *writer) message(message protoreflect.Message) {
	w.WriteByte('{')
	separator := ""
	for i := range message.Descriptor().Fields().Len() {
		if field := message.Descriptor().Fields().Get(i); message.Has(field) {
			w.WriteString(separator + string(field.Name()) + ": ")
			w.field(message.Get(field), field)
			separator = ", "
		}
	}
	w.WriteByte('}')
}

func (w *writer) field(value protoreflect.Value, field protoreflect.FieldDescriptor) {
	switch {
	case field.IsList() && field.Message() == nil:
		w.texts(value.List())
	case field.IsList():
		w.WriteByte('[')
		for i := range value.List().Len() {
			if i > 0 {
				w.WriteString(", ")
			}
			w.message(value.List().Get(i).Message())
		}
		w.WriteByte(']')
	case field.Message() != nil:
		w.message(value.Message())
	default:
		w.WriteString(scalarText(value.String()))
	}
}

// texts writes a list of texts, or where it is if it was written before.
func (w *writer) texts(list protoreflect.List) {
	text := listText(list)
	if w.repeated[text] {
		// The anchor is named after what it holds: it stays the same in the next
		// catalog, whatever is listed before it.
		sum := sha256.Sum256([]byte(text))
		anchor := "p" + hex.EncodeToString(sum[:4])
		if w.written[text] {
			w.WriteString("*" + anchor)
			return
		}
		w.written[text] = true
		w.WriteString("&" + anchor + " ")
	}
	w.WriteString(text)
}

func listText(list protoreflect.List) string {
	texts := make([]string, list.Len())
	for i := range texts {
		texts[i] = scalarText(list.Get(i).String())
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// repeatedLists are the lists of parameters that more than one endpoint has.
func repeatedLists(catalog *configpb.Config) map[string]bool {
	repeated := map[string]bool{}
	for _, model := range catalog.GetModels() {
		for _, endpoint := range model.GetEndpoints() {
			reflected := endpoint.ProtoReflect()
			list := listText(reflected.Get(reflected.Descriptor().Fields().ByName("supported_parameters")).List())
			_, seen := repeated[list]
			repeated[list] = seen
		}
	}
	return repeated
}

// plain is text that YAML reads as it stands, as text or as a number of the same
// digits, also inside {} and [].
var plain = regexp.MustCompile(`^[A-Za-z0-9~][A-Za-z0-9 ._/+-]*(:[A-Za-z0-9._-]+)*$`)

// scalarText quotes what YAML would not read as it stands.
func scalarText(text string) string {
	reserved := slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}, strings.ToLower(text))
	if text == "true" || text == "false" || plain.MatchString(text) && !reserved && !strings.HasSuffix(text, " ") {
		return text
	}
	// Go's escapes are YAML's, but for \x, which is a byte here and a character there.
	return strconv.Quote(strings.ToValidUTF8(text, "\uFFFD"))
}

func sortedKeys(entries protoreflect.Map) []string {
	keys := make([]string, 0, entries.Len())
	entries.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, key.String())
		return true
	})
	slices.Sort(keys)
	return keys
}
