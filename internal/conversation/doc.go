// Package conversation runs protocol tests that are written down as conversations: text files in which
// named peers talk to a server and every answer is stated. The same file runs against redis-server, which
// proves that it is true, and against Fanfare, which proves that Fanfare does the same.
//
// To add a conversation, put a .txt file into the testdata directory of the protocol; its test runs every
// file there. Write what is sent and a bare `A<` for each answer, run the test against redis-server, and
// put the answers it reports behind the arrows after having checked each of them.
//
// # File
//
//	# A comment. Blank lines are ignored.
//	proto both
//	== subscribing twice is one subscription
//	A> SUBSCRIBE news news
//	A< >[subscribe news :1]
//	A< >[subscribe news :1]
//	B> PUBLISH news "caf\xc3\xa9"
//	B< :1
//	A< >[message news "caf\xc3\xa9"]
//
// `== title` begins a section. Every section starts with an empty server and new connections and is a
// subtest of its own. `proto 2`, `proto 3` or `proto both` (the default) names the RESP versions it runs
// in; before the first section it holds for the file, inside a section for that section.
//
// # Lines
//
// A peer is a capital letter, perhaps with digits (A, B2), and is connected when first named. The letter W
// makes it a WebSocket peer.
//
//	A> SET k "v"          sends a command, as an array of bulk strings
//	A>> "PING\r\n"        sends these bytes as they are; several words are joined without a space
//	A< +OK                the next thing A receives is exactly this
//	A<* :1                consecutive lines of this form are received in any order
//	A nothing             nothing more arrives at A
//	A closed              the server has closed A's connection
//	A closes              A closes its connection
//	A proto 3             from here on A's lines are in RESP3; as A's first line: connect with HELLO 3
//
// At the end of a section "nothing" is asserted for every peer that is still connected. It is not a
// pause: the peer subscribes to a channel of its own, another connection publishes to it, and that message
// must be the next thing to arrive, so whatever the server had sent or was about to send comes before it.
//
// Words of a command are separated by spaces. Between double quotes \r \n \t \" \\ and \xHH are known, and
// "x"*1000 is that text a thousand times; between single quotes nothing is special.
//
// # Answers
//
//	+OK   +"two words"      simple string; at the top level quotes may be left out
//	-ERR syntax error       error; inside an aggregate -"ERR syntax error"
//	:1                      integer
//	news   "two words"      bulk string; without quotes it begins with a letter or an underscore
//	nil   nil[]             null bulk string and null array, which are one type in RESP3
//	[a :1 [b]]              array
//	>[message news hi]      push         (RESP2: array)
//	%{server redis}         map          (RESP2: array of keys and values)
//	~[a b]                  set          (RESP2: array)
//	,3.5                    double       (RESP2: bulk string)
//	=txt:"text"             verbatim     (RESP2: bulk string)
//	#t   #f                 boolean      (RESP2: integer)
//	?                       any one value
//	/[0-9]+/                bulk string whose whole text matches; also +/…/ -/…/ :/…/ ,/…/ =txt:/…/
//	[a b ...]               array with these elements and perhaps more
//	[* a b]   %{* k v}      the elements, or pairs, in any order (write literal ones before expressions)
//
// Types are those of RESP3; when a section runs in RESP2, each stands for the type Redis uses instead, in
// brackets above. A group of an expression that has a name, :/(?P<id>\d+)/, keeps its text, and ${id}
// stands for it in later lines of the section.
//
// A line of a WebSocket peer is JSON, one object per line: W> {"sub":"a"}. In an expected object a string
// of the form "/…/" matches the text of a string or number. The welcome is read when the peer connects,
// and the server's own pings are skipped. Sections with WebSocket peers run against Fanfare only.
//
// # Tags
//
// Tags stand right behind the arrow, the == of a section or the name in front of a directive.
//
//	A< @redis>=7.2 +OK      valid from this release on; Fanfare counts as 7.2.4
//	A< @redis<7.2 -ERR …    what earlier releases do
//	A< @fanfare 0007 +OK    a deliberate deviation of Fanfare; 0007 is the number of its decision
//	A< @redis -ERR …        what Redis does in its place
//	A< @proto2 +PONG        in RESP2 only; likewise @proto3
//
// A line whose tag does not apply is left out. How many lines of the first and third kind a file has is
// printed with the test (go test -v).
package conversation
