// Package counting counts.
package counting

import "strings"

func Fields(text string) int {
	return len(strings.Fields(text))
}
