// Package pdftexttest makes small PDF files for tests.
package pdftexttest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
)

// Document is a PDF with a page for each text, in Helvetica. Texts are ASCII; an empty
// one is an empty page.
func Document(pages ...string) []byte {
	contents := make([]string, len(pages))
	for i, text := range pages {
		if text != "" {
			text = strings.NewReplacer(`\`, `\\`, `(`, `\(`, `)`, `\)`).Replace(text)
			contents[i] = "BT /F1 12 Tf 72 720 Td (" + text + ") Tj ET"
		}
	}
	return Contents("", contents...)
}

// Encrypted is a PDF that opens with a password which nobody knows.
func Encrypted() []byte {
	key := strings.Repeat("5a", 32)
	return Contents(fmt.Sprintf("/ID[<%s><%s>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>", key[:32], key[:32], key, key), "")
}

// Contents is a PDF with pages that consist of the operators given, compressed. trailer
// are more entries of its trailer.
func Contents(trailer string, pages ...string) []byte {
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
	var kids strings.Builder
	for _, content := range pages {
		page := len(objects) + 1
		fmt.Fprintf(&kids, "%d 0 R ", page)
		var packed bytes.Buffer
		w := zlib.NewWriter(&packed)
		_, _ = w.Write([]byte(content))
		_ = w.Close()
		objects = append(objects,
			fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>", page+1),
			fmt.Sprintf("<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream", packed.Len(), packed.String()))
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), len(pages))
	var file bytes.Buffer
	file.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = file.Len()
		fmt.Fprintf(&file, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := file.Len()
	fmt.Fprintf(&file, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&file, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&file, "trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, start)
	return file.Bytes()
}
