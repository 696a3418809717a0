package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// documentLines judges the documents that a sign-in starts from. Discovery ends
// with its first fault, and so do the lines.
func documentLines(in *auth.Inspection) []diagnose.Line {
	var lines []diagnose.Line
	for _, part := range []struct {
		id    string
		stage auth.Stage
		text  func(*auth.Inspection) string
	}{
		{"resource-metadata", auth.StageResource, resourceText},
		{"server-metadata", auth.StageServer, serverText},
		{"sign-in-endpoints", auth.StageEndpoints, endpointsText},
		{"pkce", auth.StagePKCE, pkceText},
		{"registration", auth.StageRegistration, clientText},
	} {
		if err := in.Faults[part.stage]; err != nil {
			return append(lines, documentFault(part.id, in, err))
		}
		lines = append(lines, fine(part.id, diagnose.PayU, part.text(in)))
	}
	return lines
}

func documentFault(id string, in *auth.Inspection, err error) diagnose.Line {
	l := faultOf(id, diagnose.PayU, err)
	if last := len(in.Documents) - 1; last >= 0 && in.Documents[last].Status == 0 {
		l.Side = diagnose.Network // no answer came
	}
	if slices.ContainsFunc(in.Documents, func(d auth.Document) bool { return d.Status == http.StatusOK && !d.JSON }) {
		l.Text += "; something else than the document came, such as a web page"
	}
	return l
}

// resourceText is about RFC 9728, which PayU documents nothing of (PAYU P4).
func resourceText(in *auth.Inspection) string {
	for _, d := range in.Documents {
		if d.Resource && d.Found() {
			return "found at " + d.URL + lacks(d)
		}
	}
	return "there is none" + statuses(in, true) + ": the sign-in is looked for at the endpoint's own host"
}

// serverText is about RFC 8414 and OpenID.
func serverText(in *auth.Inspection) string {
	for _, d := range slices.Backward(in.Documents) {
		if !d.Resource && d.Found() {
			return "found at " + d.URL + ", issuer " + in.Server.Issuer + lacks(d)
		}
	}
	return "there is none" + statuses(in, false) + ": the addresses of MCP 2025-03-26 are taken"
}

// statuses are the answers at the places of one kind.
func statuses(in *auth.Inspection, resource bool) string {
	var all []string
	for _, d := range in.Documents {
		if d.Resource == resource {
			all = append(all, fmt.Sprintf("HTTP %d", d.Status))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(slices.Compact(all), ", ") + ")"
}

func lacks(d auth.Document) string {
	if len(d.Lacks) == 0 {
		return ""
	}
	return "; it lacks " + strings.Join(d.Lacks, ", ")
}

func endpointsText(in *auth.Inspection) string {
	if in.Server == nil {
		return "they are at the endpoint's own host"
	}
	hosts := []string{hostname(in.Server.AuthorizationEndpoint), hostname(in.Server.TokenEndpoint)}
	return "they are at " + strings.Join(slices.Compact(hosts), " and ") + ", as they may be"
}

func pkceText(in *auth.Inspection) string {
	if in.Unlisted || in.Bare {
		return "the server does not say what it offers; S256 is used all the same"
	}
	return "S256 is offered"
}

func clientText(in *auth.Inspection) string {
	switch in.Client {
	case auth.ClientNamed:
		return "the client of --client-id is used"
	case auth.ClientDocument:
		return "the client id metadata document of --client-metadata-url is used"
	case auth.ClientRegistered:
		return "this program can register itself"
	case auth.ClientNone:
	}
	return "there is no client id"
}
