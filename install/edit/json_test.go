package edit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

var (
	servers = edit.Place{Parent: []string{"mcpServers"}, Name: "payu"}
	bridge  = edit.Entry{{"command", "/usr/local/bin/payu-mcp"}, {"args", []string{"--profile", "shop"}}}
)

// roundTrip sets and removes an entry, and returns the file with it. It fails
// unless setting it again changes nothing and removing it gives the file back.
func roundTrip(t *testing.T, f edit.Format, before string, at edit.Place, e edit.Entry) string {
	t.Helper()
	with, err := edit.Set(f, []byte(before), at, e)
	if err != nil {
		t.Fatalf("setting: %v\nin:\n%s", err, before)
	}
	again, err := edit.Set(f, with, at, e)
	if err != nil || string(again) != string(with) {
		t.Errorf("setting again: %v\n%s", err, cmp.Diff(string(with), string(again)))
	}
	without, err := edit.Remove(f, with, at)
	if err != nil || string(without) != before {
		t.Errorf("removing: %v\n%s\nfrom:\n%s", err, cmp.Diff(before, string(without)), with)
	}
	return string(with)
}

func TestSet_json_keepsStyle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, want string }{
		"no file": {"", `{
  "mcpServers": {
    "payu": {
      "command": "/usr/local/bin/payu-mcp",
      "args": ["--profile", "shop"]
    }
  }
}
`},
		"empty object": {"{}\n", `{"mcpServers": {
  "payu": {
    "command": "/usr/local/bin/payu-mcp",
    "args": ["--profile", "shop"]
  }
}}
`},
		"other settings, four blanks, comments": {`// mine
{
    // theme
    "theme": "dark" // yes
}`, `// mine
{
    // theme
    "theme": "dark", // yes
    "mcpServers": {
        "payu": {
            "command": "/usr/local/bin/payu-mcp",
            "args": ["--profile", "shop"]
        }
    }
}`},
		"trailing comma": {"{\n\t\"mcpServers\": {\n\t\t\"a\": {},\n\t\t// \"b\": {}\n\t},\n}\n", "{\n\t\"mcpServers\": {\n\t\t\"a\": {},\n\t\t\"payu\": {\n\t\t\t\"command\": \"/usr/local/bin/payu-mcp\",\n\t\t\t\"args\": [\"--profile\", \"shop\"]\n\t\t},\n\t\t// \"b\": {}\n\t},\n}\n"},
		"one line":       {`{"a":1,"mcpServers":{}}`, `{"a":1,"mcpServers":{"payu":{"command":"/usr/local/bin/payu-mcp","args":["--profile","shop"]}}}`},
		"one line, made": {`{"a": 1}`, `{"a": 1, "mcpServers": { "payu": {"command": "/usr/local/bin/payu-mcp", "args": ["--profile", "shop"]} }}`},
		"CRLF and BOM":   {"\ufeff{\r\n  \"a\": 1\r\n}", "\ufeff{\r\n  \"a\": 1,\r\n  \"mcpServers\": {\r\n    \"payu\": {\r\n      \"command\": \"/usr/local/bin/payu-mcp\",\r\n      \"args\": [\"--profile\", \"shop\"]\r\n    }\r\n  }\r\n}"},
		"only comments":  {"// nothing yet", "// nothing yet\n{\n  \"mcpServers\": {\n    \"payu\": {\n      \"command\": \"/usr/local/bin/payu-mcp\",\n      \"args\": [\"--profile\", \"shop\"]\n    }\n  }\n}"},
		"empty parent":   {"{\n  \"mcpServers\": {},\n  \"n\": 12345678901234567890.10\n}\n", "{\n  \"mcpServers\": {\"payu\": {\n    \"command\": \"/usr/local/bin/payu-mcp\",\n    \"args\": [\"--profile\", \"shop\"]\n  }},\n  \"n\": 12345678901234567890.10\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, roundTrip(t, edit.JSON, c.before, servers, bridge)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSet_json_oddPlaces(t *testing.T) {
	t.Parallel()
	for _, before := range []string{
		"", " ", "\n\n", "{}", "{ }", "{\n}", "{ // c\n}", "[1]\n"[:0], `{"a": 1, }`, `{"a": 1 /* c */}`, `{"a": 1 /* c` + "\n" + `*/}`,
		"{\n\"a\": 1}", "{\"a\": 1\n}", "{\"a\": 1 // c\n}", "{\"a\": 1, // c\n}", "{\n  \"a\": 1, \"b\": 2\n}", "{\n  \"a\": 1\n  , \"b\": 2\n}",
		`{"mcpServers": { }}`, "{\"mcpServers\": {\n  }}", "{\"mcpServers\": {\n // none\n  }}", `{"mcpServers":{"a":{}}}`, `{"mcpServers": {"a": {},}}`,
		"{\n \"mcpServers\": {\n  \"a\": {} /* x */ , // y\n  // z\n }\n}", "/* c */ {}\n// end", "{}\n\n", "{}\r\n", "{\r\n}\r\n",
		`{"\u006dcpServers": {"x": "]{[{"}}`,
	} {
		roundTrip(t, edit.JSON, before, servers, bridge)
		roundTrip(t, edit.JSON, before, edit.Place{Parent: []string{"amp.mcpServers"}, Name: "pay \"u"}, bridge)
		roundTrip(t, edit.JSON, before, edit.Place{Name: "payu"}, bridge)
		roundTrip(t, edit.JSON, before, edit.Place{Parent: []string{"projects", "/home/you/x", "mcpServers"}, Name: "payu"}, edit.Entry{{"env", map[string]string{"A": "b", "C": ""}}, {"x", true}, {"t", 30}})
	}
}

func TestSet_json_refusals(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"{":                         "line 1",
		"{\n\"a\": }":               "line 2",
		"[]":                        "the file is not an object",
		"null":                      "the file is not an object",
		"\"x\"":                     "the file is not an object",
		"{\"mcpServers\": []}":      "\"mcpServers\" is not an object",
		"{\n\"mcpServers\": null}":  "line 2: \"mcpServers\" is not an object",
		"{\n\"mcpServers\": \"x\"}": "line 2: \"mcpServers\" is not an object",
		"{\"mcpServers\":{},\n\"mcpServers\":{}}":          "line 2: \"mcpServers\" is there twice",
		"{\"mcpServers\":{\"payu\":1,\n\"p\\u0061yu\":2}}": "line 2: \"payu\" is there twice",
		"{}\r":                      "carriage return",
		"{\"a\": \"\xff\"}":         "not UTF-8",
		"\xff\xfe{\x00}\x00":        "not UTF-8",
		strings.Repeat("[", 100000): "nested too deeply",
		"{\"mcpServers\":{},}{}":    "after top-level value",
	} {
		if _, err := edit.Set(edit.JSON, []byte(before), servers, bridge); !errors.Is(err, edit.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", before, err, want)
		}
	}
}

// A history of Claude Code may hold what a terminal shows in colour: a bracket that
// nothing closes, for each of them.
func TestSet_json_bracketsInStrings_noNesting(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("[", 20000)
	file := []byte(`{"history": ["\\\"` + many + `"], // "` + many + "\n/* " + many + ` */ "n": 1}`)
	if _, err := edit.Set(edit.JSON, file, places(edit.JSON)[0], entries()[0]); err != nil {
		t.Error(err)
	}
}
