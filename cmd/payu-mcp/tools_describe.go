package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/payu-mcp/payu-mcp/internal/jsonmsg"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// printTool says what one tool does and takes, from its entry in the server's
// list.
func (n *session) printTool(name string) error {
	tools := toolsIn(n.list)
	i := slices.IndexFunc(tools, func(t shellTool) bool { return t.name == name })
	if i < 0 {
		if err := n.judgeListed(name); err != nil {
			return err
		}
		return unknownTool(name, tools)
	}
	if n.asJSON {
		return writeJSON(n.e.stdout, oneLineOf(tools[i].raw))
	}
	if _, err := io.WriteString(n.e.stdout, tools[i].describe()); err != nil {
		return fmt.Errorf("printing the tool: %w", err)
	}
	return nil
}

// judgeListed is judge for who only looks: a question is for who calls.
func (n *session) judgeListed(name string) error {
	if slices.Contains(n.hidden(n.seen.known()), name) {
		return n.judge(name, n.seen.known())
	}
	return nil
}

func (t shellTool) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  (%s)\n", printable.Line(t.name, longestValue), t.mark())
	if title := t.text("title"); title != "" {
		b.WriteString("  " + printable.Line(title, longestValue) + "\n")
	}
	if text := t.text("description"); text != "" {
		b.WriteString("\n" + inset(strings.TrimSpace(text)))
	}
	b.WriteString("\n" + t.promises())
	b.WriteString(t.arguments())
	has := "no"
	if jsonmsg.Lookup(t.raw, "outputSchema") != nil {
		has = "yes, see --json"
	}
	b.WriteString("\noutput schema: " + has + "\n")
	return b.String()
}

func (t shellTool) text(key string) string { return jsonmsg.Text(jsonmsg.Lookup(t.raw, key)) }

// promises are the annotations: what the server says that the tool does.
func (t shellTool) promises() string {
	var all []string
	for _, m := range jsonmsg.Members(jsonmsg.Lookup(t.raw, "annotations")) {
		if m.Key != "title" {
			all = append(all, printable.Line(m.Key+" "+string(m.Value), longestValue))
		}
	}
	if all == nil {
		return "annotations: none, so it counts as one that writes\n"
	}
	return "annotations: " + strings.Join(all, ", ") + "\n"
}

func (t shellTool) arguments() string {
	schema := jsonmsg.Lookup(t.raw, "inputSchema")
	if len(jsonmsg.Members(jsonmsg.Lookup(schema, "properties"))) == 0 {
		return "\narguments: none are described\n"
	}
	var b strings.Builder
	b.WriteString("\narguments:\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	writeProperties(table, schema, "  ", deepest)
	_ = table.Flush() // a Builder takes all
	return b.String()
}

// deepest is how far down the list of arguments goes; --json has the rest.
const deepest = 4

// writeProperties lists the members of an object schema, one a line.
func writeProperties(w io.Writer, schema json.RawMessage, indent string, depth int) {
	required := requiredIn(schema)
	for _, m := range jsonmsg.Members(jsonmsg.Lookup(schema, "properties")) {
		must := ""
		if slices.Contains(required, m.Key) {
			must = "required"
		}
		_, _ = fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\n", indent, printable.Line(m.Key, longestName), typeOf(m.Value), must,
			printable.Line(jsonmsg.Text(jsonmsg.Lookup(m.Value, "description")), longestValue))
		inner := m.Value
		if items := jsonmsg.Lookup(inner, "items"); items != nil {
			inner = items
		}
		if depth > 1 {
			writeProperties(w, inner, indent+"  ", depth-1)
		}
	}
}

// longestName is for what stands in a column, in characters.
const longestName = 60

// typeOf names the type of a schema, and what values it may have.
func typeOf(schema json.RawMessage) string {
	kind := jsonmsg.Text(jsonmsg.Lookup(schema, "type"))
	switch {
	case jsonmsg.Lookup(schema, "enum") != nil:
		var values []string
		for _, v := range elements(jsonmsg.Lookup(schema, "enum")) {
			values = append(values, string(v))
		}
		kind = "one of " + strings.Join(values, ", ")
	case kind == "array":
		kind = "array of " + typeOf(jsonmsg.Lookup(schema, "items"))
	case kind == "" && jsonmsg.Lookup(schema, "type") != nil:
		kind = string(jsonmsg.Lookup(schema, "type")) // several
	case kind == "":
		kind = "any"
	}
	if standard := jsonmsg.Lookup(schema, "default"); standard != nil {
		kind += ", else " + string(standard)
	}
	return printable.Line(kind, longestName)
}

// requiredIn are the members that an object of this schema must have.
func requiredIn(schema json.RawMessage) []string {
	var names []string
	if json.Unmarshal(jsonmsg.Lookup(schema, "required"), &names) != nil {
		return nil
	}
	return names
}

// check refuses arguments that lack what the tool's own schema demands. All else
// is the server's to judge.
func (t shellTool) check(arguments json.RawMessage) error {
	var missing []string
	for _, name := range requiredIn(jsonmsg.Lookup(t.raw, "inputSchema")) {
		if jsonmsg.Lookup(arguments, name) == nil {
			missing = append(missing, printable.Line(name, longestValue))
		}
	}
	if missing == nil {
		return nil
	}
	return usagef("see payu-mcp tools "+t.name, "the arguments lack %s, so nothing was sent", strings.Join(missing, ", "))
}
