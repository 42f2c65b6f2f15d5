// Package ws is Fanfare's WebSocket transport: the protocol a browser speaks.
//
// Text frames hold JSON objects, one per line, in both directions. An object's
// verb is the key that names it:
//
//	{"sub":"room:1"}  {"sub":["a","b"]}  {"psub":"room:*"}      answered by subbed, psubbed
//	{"unsub":"room:1"}  {"punsub":"room:*"}                     answered by unsubbed, punsubbed
//	{"pub":"room:1","data":ANY}  {"pub":"room:1","b64":"…"}     answered by ok with the receivers and the offset
//	{"unretain":"room:1"}
//	{"history":"room:1","limit":50,"before":N,"id":2}           answered by older messages
//	{"join":"room:1","data":{…}}  {"leave":"room:1"}
//	{"who":"room:1","id":1}                                     answered by the members
//	{"ping":1}                                                  answered by {"pong":1}
//
// docs/protocol-websocket.md specifies all of it; its examples are a test here.
//
// A request with an "id", a number or a short string, is answered with that id;
// one without is answered only by its errors, {"err":code,"text":…}, except
// that sub, psub and the end of a subscription always are. Every connection
// begins with {"welcome":…}. A close code is 4000 + the code of an error.
//
// The way in: net/http reads the handshake, origin.go decides who may connect,
// accept.go takes the connection over and gives coder/websocket a conn that is
// watched (inbound.go) and whose writes end in an outbound.Queue. Each
// connection then has one goroutine, which reads frames, parses the requests
// in them (request.go, options.go) and, as long as it keeps within its rate
// (rate.go), runs each through the table of verbs (commands.go, cmd_*.go).
//
// The way out does not pass through coder/websocket. Deliveries and events are
// encoded once for all browsers by the broker's codec (codec.go, event.go),
// answers and what a new subscription gets of earlier messages by encode.go;
// both are newline-ended objects that the queue puts into frames when it
// flushes. Only control frames come from the library or from liveness.go, as
// whole frames.
//
// Adding a verb is one file cmd_<verb>.go whose init registers it.
package ws
