package guard

import (
	"fmt"
	"slices"
)

// The slugs of the spec's built-in rules.
const (
	slugInjection = "regex-prompt-injection"
	slugPerson    = "person-name"
	slugAddress   = "address"
)

// builtin is a rule that is built in, but for what a guardrail says of it.
type builtin struct {
	slug, label, title string
	patterns           []*pattern
}

// builtins are what patterns can find. The shapes are those that people write; where a
// check digit or a range tells more, it is asked.
var builtins = []builtin{
	{"email", "[EMAIL]", "Email address", []*pattern{
		mustCompile(`(?i)[\p{L}\p{N}_][\p{L}\p{N}._%+-]*@[\p{L}\p{N}][\p{L}\p{N}.-]*\.[a-z]{2,24}\b`),
	}},
	{"phone", "[PHONE]", "Phone number", []*pattern{
		confirmed(`\+[1-9][0-9]{0,2}(?:[ .\x{a0}-]?\(?[0-9]{1,5}\)?){1,6}\b`, phone),
		confirmed(`(?:\b1[ .\x{a0}-])?(?:\([2-9][0-9]{2}\)[ \x{a0}]?|\b[2-9][0-9]{2}[ .\x{a0}-])[0-9]{3}[ .\x{a0}-][0-9]{4}\b`, nil),
	}},
	{"ssn", "[SSN]", "Social Security number", []*pattern{
		confirmed(`\b[0-8][0-9]{2}[ \x{a0}-][0-9]{2}[ \x{a0}-][0-9]{4}\b`, socialSecurity),
	}},
	{"credit-card", "[CREDIT_CARD]", "Credit card number", []*pattern{
		confirmed(`\b[2-6][0-9]{3}(?:[ -]?[0-9]){9,15}\b`, creditCard),
		confirmed(`\b[2-6][0-9]{3}(?:[.\x{a0}][0-9]{4}){3}\b`, creditCard),
	}},
	{"ip-address", "[IP_ADDRESS]", "IP address", []*pattern{
		mustCompile(`\b(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\b`),
		mustCompile(`(?i)\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b`),
		mustCompile(`(?i)\b(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}\b`),
		confirmed(`(?i)\B::(?:[0-9a-f]{1,4}:){0,6}[0-9a-f]{1,4}\b`, withDigit), // C++::add is none
		confirmed(`(?i)\b(?:[0-9a-f]{1,4}:){1,6}:\B`, withDigit),
	}},
	{slugInjection, "[PROMPT_INJECTION]", "Prompt injection", []*pattern{
		named("ignore_instructions", `(?i)\b(?:ignore|disregard|forget|override|bypass)\s{1,8}(?:(?:all|any|every|the|of|your|my|our|these|those)\s{1,8}){0,4}(?:previous|prior|above|earlier|preceding|former|original|system|initial)\s{1,8}(?:instructions?|prompts?|rules?|directions?|messages?|guidelines?|context)\b`),
		named("reveal_prompt", `(?i)\b(?:reveal|show|print|repeat|output|display|tell me|give me)\s{1,8}(?:(?:all|me|us|the|of|your|full|entire|exact|initial|original|hidden)\s{1,8}){0,5}(?:system|developer|hidden|secret|initial)\s{1,8}(?:prompts?|instructions?|messages?)\b`),
		named("new_role", `(?i)\b(?:you are now|from now on,? you are|pretend (?:to be|that you are|you are)|act as)\s{1,8}(?:(?:a|an|the|in)\s{1,8})?(?:dan\b|developer mode|jailbroken|unrestricted|unfiltered|uncensored|evil)`),
		named("jailbreak_mode", `(?i)\b(?:enable|enter|activate|switch to)\s{1,8}(?:dan|developer|debug|god|jailbreak|unrestricted|sudo)\s{1,8}mode\b`),
		named("no_restrictions", `(?i)\bwithout\s{1,8}(?:any\s{1,8})?(?:(?:ethical|moral|safety|content)\s{1,8}){0,2}(?:restrictions|filters|guardrails|limitations|guidelines)\b`),
		named("fake_turn", `(?i)(?:<\|im_start\|>\s{0,8}system|\[/?INST\]|<</?SYS>>|<\|system\|>|###\s{0,8}(?:system|new)\s{1,8}(?:prompt|instructions?)\s{0,8}:)`),
	}},
}

// builtinOf finds a builtin. The error says which there are.
func builtinOf(slug string) (*builtin, error) {
	for i := range builtins {
		if builtins[i].slug == slug {
			return &builtins[i], nil
		}
	}
	if slug == slugPerson || slug == slugAddress {
		return nil, fmt.Errorf("%s takes a language model to find, and the gateway has none; write content_filters for the names that matter", slug)
	}
	known := make([]string, len(builtins))
	for i := range builtins {
		known[i] = builtins[i].slug
	}
	slices.Sort(known)
	return nil, fmt.Errorf("there is no %q among %v", slug, known)
}

func confirmed(text string, confirm func([]byte) int) *pattern {
	p := mustCompile(text)
	p.confirm = confirm
	return p
}

func named(name, text string) *pattern {
	p := mustCompile(text)
	p.name = name
	return p
}

// phone takes the 7 to 15 digits of ITU-T E.164.
func phone(match []byte) int {
	if n := len(digitsOf(match)); n < 7 || n > 15 {
		return 0
	}
	return len(match)
}

func withDigit(match []byte) int {
	if len(digitsOf(match)) == 0 {
		return 0
	}
	return len(match)
}

// socialSecurity leaves out what is never given out: area 000, 666 and from 900 on,
// group 00 and serial number 0000. Both separators are the same.
func socialSecurity(match []byte) int {
	separator := (len(match) - 9) / 2 // bytes
	first, second := string(match[3:3+separator]), string(match[5+separator:len(match)-4])
	area, group, serial := string(match[:3]), string(match[3+separator:5+separator]), string(match[len(match)-4:])
	if area == "000" || area == "666" || group == "00" || serial == "0000" || first != second {
		return 0
	}
	return len(match)
}

// creditCard takes the longest beginning of 13 to 19 digits that is a whole number in
// the text and ends with its check digit, by ISO/IEC 7812-1 (Luhn).
func creditCard(match []byte) int {
	digits := make([]byte, 0, 19)
	longest := 0
	for i, c := range match {
		if c < '0' || c > '9' {
			continue
		}
		digits = append(digits, c)
		ends := i+1 == len(match) || match[i+1] < '0' || match[i+1] > '9'
		if ends && len(digits) >= 13 && luhn(digits) {
			longest = i + 1
		}
	}
	return longest
}

func luhn(digits []byte) bool {
	sum := 0
	for i, c := range digits {
		d := int(c - '0')
		if (len(digits)-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func digitsOf(text []byte) []byte {
	var digits []byte
	for _, c := range text {
		if '0' <= c && c <= '9' {
			digits = append(digits, c)
		}
	}
	return digits
}
