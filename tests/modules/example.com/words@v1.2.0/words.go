// Package words says how many words a text has.
package words

import (
	"strconv"

	"example.com/counting"
)

func Count(text string) string {
	return strconv.Itoa(counting.Fields(text)) + " words"
}
