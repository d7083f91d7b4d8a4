package config

import (
	"strconv"
	"strings"
)

// parseSize reads a size in bytes, such as 32MiB, 500KB or 1048576. The schema
// says what is well-formed; what is not, or does not fit, is not ok.
func parseSize(text string) (int64, bool) {
	digits := strings.TrimRight(text, "BKMGi ")
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, false
	}
	factor := int64(1)
	switch strings.TrimSpace(text[len(digits):]) {
	case "", "B":
	case "KB":
		factor = 1e3
	case "MB":
		factor = 1e6
	case "GB":
		factor = 1e9
	case "KiB":
		factor = 1 << 10
	case "MiB":
		factor = 1 << 20
	case "GiB":
		factor = 1 << 30
	default:
		return 0, false
	}
	size := number * factor
	return size, number >= 0 && size/factor == number
}
