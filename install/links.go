package install

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// link makes the address with which a host offers to take an entry over by
// itself: a person opens it, the host shows what it says and asks (HOSTS
// section 4, "deep links").
type link func(c Command) (string, error)

// Links returns the addresses that h understands; none for most hosts.
func (h Host) Links(c Command) ([]string, error) {
	var all []string
	for _, address := range h.links {
		l, err := address(c)
		if err != nil {
			return nil, fmt.Errorf("making a link for %s: %w", h.Name, err)
		}
		all = append(all, l)
	}
	return all, nil
}

// server is an entry in the words of the links.
type server struct {
	Name    string   `json:"name,omitempty"`
	Command string   `json:"command"`
	Args    []string `json:"args"`
}

// object is the entry as JSON, with its name where the link has no other place.
func object(c Command, name string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(server{Name: name, Command: c.Path, Args: c.Args()}); err != nil {
		return "", fmt.Errorf("encoding the entry: %w", err)
	}
	return strings.TrimSpace(b.String()), nil
}

// component escapes as encodeURIComponent does, which is how hosts take it apart.
func component(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func cursorLink(c Command) (string, error) {
	o, err := object(c, "")
	return "cursor://anysphere.cursor-deeplink/mcp/install?name=" + component(c.Name()) +
		"&config=" + component(base64.StdEncoding.EncodeToString([]byte(o))), err
}

func vsCodeLink(c Command) (string, error) {
	o, err := object(c, c.Name())
	return "vscode:mcp/install?" + component(o), err
}

func vsCodeInsidersLink(c Command) (string, error) {
	o, err := object(c, c.Name())
	return "vscode-insiders:mcp/install?" + component(o), err
}

func kiroLink(c Command) (string, error) {
	o, err := object(c, "")
	return "kiro://kiro.mcp/add?name=" + component(c.Name()) + "&config=" + component(o), err
}

func lmStudioLink(c Command) (string, error) {
	o, err := object(c, "")
	return "lmstudio://add_mcp?name=" + component(c.Name()) + "&config=" + component(base64.StdEncoding.EncodeToString([]byte(o))), err
}

func gooseLink(c Command) (string, error) {
	var b strings.Builder
	b.WriteString("goose://extension?cmd=" + component(c.Path))
	for _, arg := range c.Args() {
		b.WriteString("&arg=" + component(arg))
	}
	b.WriteString("&id=" + component(c.Name()) + "&name=" + component(c.Name()) + "&description=PayU")
	return b.String(), nil
}
