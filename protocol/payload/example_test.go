package payload_test

import (
	"fmt"

	"fanfare/protocol/payload"
)

func ExampleAppendJSON() {
	for _, published := range []string{"hi", `{ "text": "hi" }`, "5", "\xff"} {
		fmt.Printf("%s\n", payload.AppendJSON(nil, []byte(published), false))
	}
	// Output:
	// "data":"hi"
	// "data":{"text":"hi"}
	// "data":"5"
	// "b64":"/w=="
}

func ExampleBytes() {
	fmt.Printf("%s\n", payload.Bytes([]byte(`"caf\u00e9"`), true))
	fmt.Printf("%s\n", payload.Bytes([]byte(`{"text":"hi"}`), true))
	// Output:
	// café
	// {"text":"hi"}
}
