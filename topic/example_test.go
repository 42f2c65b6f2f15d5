package topic_test

import (
	"fmt"
	"slices"

	"fanfare/topic"
)

func ExampleCompile() {
	p := topic.Compile("chat:[0-9]*:typing")
	fmt.Println(p.MatchString("chat:42:typing"), p.MatchString("chat:x:typing"))
	fmt.Printf("%q\n", p.Prefix())
	fmt.Println(topic.Compile("[]abc]").Never())
	// Output:
	// true false
	// "chat:"
	// true
}

func ExampleIndex() {
	x := topic.NewIndex[string]()
	x.Add(topic.Compile("user:*"), "audit")
	x.Add(topic.Compile("user:7:*"), "seven")
	x.Add(topic.Compile("*:login"), "logins")
	before := x.Commit() // three patterns, one transaction

	x.Remove(topic.Compile("user:7:*"), "seven")
	after := x.Commit()

	for _, s := range []*topic.Snapshot[string]{before, after} {
		names := s.Match(nil, []byte("user:7:login"))
		slices.Sort(names)
		fmt.Println(names)
	}
	// Output:
	// [audit logins seven]
	// [audit logins]
}
