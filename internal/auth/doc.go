// Package auth says who a session is and what it may do.
//
// Whatever way somebody comes in leads to one [broker.Identity] with its rights,
// and the broker asks [Access] about it at every path of a message. There are no
// rules that deny: what no grant covers is denied, names are compared as bytes.
//
// # Tokens
//
// Browsers show a JSON Web Token (RFC 7519), which a [Verifier] checks with the
// keys of the configuration:
//
//	sub   the user: 1 to 256 bytes, UTF-8 without control characters
//	exp   the end of the session; needed unless Config.WithoutExp
//	nbf   not before, iat   when it was made: both with Leeway
//	iss   aud   as the key asks for
//	can   the rights: {"chat:*":["sub","pub"],"user:{sub}":["sub"]}; see ParseGrants
//	info  what others may see of the user: any JSON, compacted at most 1 KiB
//
// The algorithm belongs to the key, never to the token's header, and so does the
// place a key comes from: nothing in a token chooses a URL. The signature is checked
// before the claims are decoded. Names of claims are compared as they are written.
//
// The package imports no transport and logs nothing: errors carry a reason for the
// log beside the text that the peer may see. No error holds a secret or a token.
package auth
