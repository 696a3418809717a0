package edit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payu-mcp/payu-mcp/install/edit"
)

var (
	goose      = edit.Place{Parent: []string{"extensions"}, Name: "payu"}
	gooseEntry = edit.Entry{{"type", "stdio"}, {"cmd", "/a b"}, {"args", []string{"--x"}}, {"envs", map[string]string{}}, {"enabled", true}, {"timeout", 300}}

	continued     = edit.Place{Parent: []string{"mcpServers"}, Name: "payu", List: true}
	continueEntry = edit.Entry{{"command", "/a b"}, {"env", map[string]string{"A": "\u0085'\"\x7f"}}}
)

func TestSet_yaml_map(t *testing.T) {
	t.Parallel()
	lines := func(indent string) string {
		return indent + "payu:\n" + indent + "  type: \"stdio\"\n" + indent + "  cmd: \"/a b\"\n" + indent + "  args: [\"--x\"]\n" + indent + "  envs: {}\n" + indent + "  enabled: true\n" + indent + "  timeout: 300\n"
	}
	flow := `payu: {type: "stdio", cmd: "/a b", args: ["--x"], envs: {}, enabled: true, timeout: 300}`
	for before, want := range map[string]string{
		"":                    "extensions: # added by payu-mcp\n" + lines("  "),
		"# c\n":               "# c\nextensions: # added by payu-mcp\n" + lines("  "),
		"a: 1":                "a: 1\nextensions: # added by payu-mcp\n" + strings.TrimSuffix(lines("  "), "\n"),
		"---\na: 1\n":         "---\na: 1\nextensions: # added by payu-mcp\n" + lines("  "),
		"a:\r\n- b\r\n":       strings.ReplaceAll("a:\n- b\nextensions: # added by payu-mcp\n"+lines("  "), "\n", "\r\n"),
		"extensions:\na: 1\n": "extensions:\n" + lines("  ") + "a: 1\n",
		"a: 1\nextensions:":   "a: 1\nextensions:\n" + strings.TrimSuffix(lines("  "), "\n"),
		"extensions: {}\n":    "extensions: {" + flow + "}\n",
		"é: \"é\"\nextensions: { } # c\na: 1\n":                        "é: \"é\"\nextensions: { " + flow + "} # c\na: 1\n",
		"extensions: # mine\n  # dev\n  dev:\n    enabled: true\nb: 1": "extensions: # mine\n" + lines("  ") + "  # dev\n  dev:\n    enabled: true\nb: 1",
		"extensions:\n      # deep\n  dev: {a: 1}\n":                   "extensions:\n      # deep\n" + lines("  ") + "  dev: {a: 1}\n",
		"extensions:\n dev: |+\n   x\n\n\n# end\n":                     "extensions:\n" + strings.ReplaceAll(strings.ReplaceAll(lines(" "), "   ", "  "), "\n   ", "\n  ") + " dev: |+\n   x\n\n\n# end\n",
	} {
		if d := cmp.Diff(want, roundTrip(t, edit.YAML, before, goose, gooseEntry)); d != "" {
			t.Errorf("%q: %s", before, d)
		}
	}
}

func TestSet_yaml_list(t *testing.T) {
	t.Parallel()
	lines := func(indent string) string {
		return indent + "- name: \"payu\"\n" + indent + "  command: \"/a b\"\n" + indent + "  env: {A: \"\\u0085'\\\"\\u007f\"}\n"
	}
	for before, want := range map[string]string{
		"":               "mcpServers: # added by payu-mcp\n" + lines("  "),
		"mcpServers: []": "mcpServers: [" + strings.ReplaceAll(strings.TrimSpace(strings.Replace(lines(""), "- ", "{", 1))+"}", "\n  ", ", ") + "]",
		"mcpServers:\n":  "mcpServers:\n" + lines("  "),
		"mcpServers:\n- name: a\n  command: b\n- name: c\nx: &y 1\nz: *y\n": "mcpServers:\n" + lines("") + "- name: a\n  command: b\n- name: c\nx: &y 1\nz: *y\n",
		"mcpServers:\n    - name: a # c\n":                                  "mcpServers:\n" + lines("    ") + "    - name: a # c\n",
		"\ufeffmcpServers:\n  - uses: x/y\n  - b\n":                         "\ufeffmcpServers:\n" + lines("  ") + "  - uses: x/y\n  - b\n",
	} {
		if d := cmp.Diff(want, roundTrip(t, edit.YAML, before, continued, continueEntry)); d != "" {
			t.Errorf("%q: %s", before, d)
		}
	}
}

const gooseOld = `extensions:
  # the first
  dev:
    enabled: true

  # PayU, by me
  payu:
    cmd: |
      old
      # text
    # within
    args:
    - a
  # next
  last: {}
# end
`

func TestSet_yaml_replacesInPlace(t *testing.T) {
	t.Parallel()
	got, err := edit.Set(edit.YAML, []byte(gooseOld), goose, edit.Entry{{"cmd", "new"}})
	want := `extensions:
  # the first
  dev:
    enabled: true

  # PayU, by me
  payu:
    cmd: "new"
  # next
  last: {}
# end
`
	if d := cmp.Diff(want, string(got)); err != nil || d != "" {
		t.Error(err, d)
	}
	list := "mcpServers:\n  - name: a\n  - command: old\n    name: payu # c\n  # next\n  - name: b\n"
	got, err = edit.Set(edit.YAML, []byte(list), continued, edit.Entry{{"command", "new"}})
	want = "mcpServers:\n  - name: a\n  - name: \"payu\"\n    command: \"new\"\n  # next\n  - name: b\n"
	if d := cmp.Diff(want, string(got)); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestRemove_yaml_commentsAndOthersStay(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		gooseOld: "extensions:\n  # the first\n  dev:\n    enabled: true\n\n  # PayU, by me\n  # next\n  last: {}\n# end\n",
		"extensions: # added by payu-mcp\n  payu:\n    a: 1\n  b: {}\n":        "extensions: # added by payu-mcp\n  b: {}\n",
		"extensions: # added by payu-mcp\n  payu:\n    a: 1\n  # mine\nc: 1\n": "extensions: # added by payu-mcp\n  # mine\nc: 1\n",
		"extensions:\n  payu: {}\nc: 1\n":                                      "extensions:\nc: 1\n",
		"extensions: {payu: {a: \"}\"} }\n":                                    "extensions: {}\n",
		"a: 1\n":                                                               "a: 1\n",
	} {
		got, err := edit.Remove(edit.YAML, []byte(before), goose)
		if d := cmp.Diff(want, string(got)); err != nil || d != "" {
			t.Errorf("%v in\n%s\n%s", err, before, d)
		}
	}
}

func TestSet_yaml_refusals(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"a: 1\nb: [":                            "line 2",
		"a:\n\t- b\n":                           "line 2",
		"a: 1\n---\nb: 1\n":                     "line 2: a second document starts",
		"- a\n":                                 "the file is not an object",
		"text":                                  "the file is not an object",
		"extensions: []\n":                      "\"extensions\" is not an object",
		"a: 1\nextensions: null\n":              "line 2: \"extensions\" is not an object",
		"extensions: text\n":                    "\"extensions\" is not an object",
		"extensions: {a: {}}\n":                 "written in brackets",
		"{}\n":                                  "written in braces",
		"{extensions: {}}\n":                    "written in braces",
		"extensions: &x\n  a: {}\nb: *x\n":      "anchor",
		"b: &x {}\nextensions: *x\n":            "\"extensions\" is not an object",
		"b: &x {extensions: {}}\n<<: *x\n":      "merged",
		"extensions: {}\n\"extensions\": {}\n":  "line 2: \"extensions\" is there twice",
		"extensions:\n  payu: {}\n  payu: {}\n": "line 3: \"payu\" is there twice",
		"a: 1\n...\n":                           "after the edit",
		"a: \"\u2028\"\n":                       "line separator",
		"? [a]\n: b\n":                          "a key is a list",
	} {
		if _, err := edit.Set(edit.YAML, []byte(before), goose, gooseEntry); !errors.Is(err, edit.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", before, err, want)
		}
	}
	if _, err := edit.Set(edit.JSON, nil, continued, continueEntry); !errors.Is(err, edit.ErrRefused) {
		t.Error(err)
	}
}
