// Package payload is the rule by which a message's payload crosses between
// the two worlds that meet on a channel: Redis clients, which publish and
// receive bytes, and browsers, which publish and receive JSON.
//
// A payload has a kind (broker.Message.JSON):
//
//   - bytes, as a Redis client sent them, or a browser with "b64";
//   - JSON text as a browser sent it in "data", compacted, never re-encoded.
//
// AppendJSON writes either kind for a browser, Bytes gives either kind to a
// Redis client:
//
//	published                                browser receives       Redis client receives
//	JSON text                                "data": that text      that text
//	JSON text that is a string               "data": that text      the string's bytes
//	bytes: UTF-8, valid JSON, { or [ first   "data": compacted      the bytes
//	bytes: other valid UTF-8                 "data": a JSON string  the bytes
//	any other bytes                          "b64": base64          the bytes
//
// Only a leading { or [ makes bytes JSON: 5, true and "x" are far more often
// somebody's text than somebody's JSON, and a browser that wants to publish a
// number says so by publishing JSON. Text nested deeper than MaxDepth stays a
// string, because a receiver's parser may recurse.
//
// The scanner is the package's own for two reasons. encoding/json accepts
// invalid UTF-8 inside strings, and one frame that is not UTF-8 makes every
// browser that receives it close its connection. And a payload is compacted
// because a raw line feed would end the line it stands in, which needs the
// same pass over the bytes again.
//
// All functions are safe for concurrent use: the package has no state.
package payload
