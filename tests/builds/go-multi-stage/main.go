package main

import (
	"fmt"

	"example.com/words"
)

var commit = "unknown"

func main() {
	fmt.Println(words.Count("one two three"), "at", commit)
}
