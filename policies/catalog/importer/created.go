package importer

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A date in a model's name, by which it is told from later ones. Days without a year
// (gpt-4-0613), and years after their months (command-r-08-2024), are not among them:
// they are not certain, or no day.
var (
	fullDate  = regexp.MustCompile(`(?:^|[^0-9])(20[23][0-9]-[01][0-9]-[0-3][0-9]|20[23][0-9][01][0-9][0-3][0-9])(?:$|[^0-9])`)
	yearMonth = regexp.MustCompile(`-(2[3-9][01][0-9])(?:-|$)`)
)

// monthly are the authors who put a year and a month into names.
var monthly = []string{"mistralai", "qwen"}

// createdOf is the day, or the first of the month, in the name of an author's model,
// as a Unix time in seconds; zero without a date that is certain.
func createdOf(author, name string) int64 {
	if found := fullDate.FindStringSubmatch(name); found != nil {
		return unix("20060102", strings.ReplaceAll(found[1], "-", ""))
	}
	if found := yearMonth.FindStringSubmatch(name); found != nil && slices.Contains(monthly, author) {
		return unix("0601", found[1])
	}
	return 0
}

// unix is zero for what is no date, such as the 30th of February.
func unix(layout, text string) int64 {
	day, err := time.Parse(layout, text)
	if err != nil {
		return 0
	}
	return day.Unix()
}

// createdByID is createdOf for the first of a model's ids that has a date.
func createdByID(ids ...string) int64 {
	created := int64(0)
	for _, id := range ids {
		author, slug, _ := strings.Cut(id, "/")
		created = cmp.Or(created, createdOf(author, slug))
	}
	return created
}
