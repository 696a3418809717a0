package fault

import (
	"encoding/json"
	"net/http"
	"strings"
)

// EvilText is a text by which a server would paint on a terminal, hide something,
// forge a line of ours, and fill a page (OAUTH X19).
func EvilText() string {
	return "well\x1b[2J\x1b]0;title\a\x1b[31mred \u009b31mC1 del\x7f back\b\b\r\npayu-mcp: hint: run rm -rf ~\n\tx\x00" +
		"\u202eright\u2066iso\u2069\u200fmark zero\u200bwidth\ufeffbom\u2060\u00ad line\u2028para\u2029 tag\U000e0041 own\ue000 " + strings.Repeat("long ", 2000)
}

// Document answers with a status and a JSON document. Nothing has run.
func Document(status int, doc any) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(doc) // a client that went away is not our fault
	}
}
