package resp

import "strings"

func init() {
	register(
		&command{
			name: "info", arity: -1, flags: flagLoading | flagStale | flagStoreStats, acl: "dangerous",
			group: "server", since: "1.0.0", complexity: "O(1)",
			summary: "Shows figures about the server, in sections.", run: infoCommand,
		},
	)
}

// infoCommand writes the sections asked for, in the order in which they stand
// in infoSections.
func infoCommand(x *call) {
	wanted := map[string]bool{}
	for _, arg := range x.args[1:] {
		wanted[strings.ToLower(string(arg))] = true
	}
	usual := len(wanted) == 0 || wanted["default"]
	all := wanted["all"] || wanted["everything"]
	var text strings.Builder
	for _, section := range infoSections {
		if !all && !(usual && section.usual) && !wanted[strings.ToLower(section.name)] {
			continue
		}
		if text.Len() > 0 {
			text.WriteString("\r\n")
		}
		text.WriteString("# " + section.name + "\r\n")
		for _, line := range section.lines(x) {
			text.WriteString(line[0] + ":" + line[1] + "\r\n")
		}
	}
	x.w.Verbatim(text.String())
}
