package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/payu-mcp/payu-mcp/auth"
	"github.com/payu-mcp/payu-mcp/internal/buildinfo"
	"github.com/payu-mcp/payu-mcp/internal/printable"
	"github.com/payu-mcp/payu-mcp/keychain"
)

// statusReport is the schema of `status --json`; members are only ever added
// (HOSTS C3). It holds no secret.
type statusReport struct {
	Version      string         `json:"version"`
	Profile      string         `json:"profile"`
	Endpoint     string         `json:"endpoint"`
	SignedIn     bool           `json:"signed_in"`
	State        string         `json:"state"`
	Issuer       string         `json:"issuer,omitempty"`
	ClientID     string         `json:"client_id,omitempty"`
	SignedInAt   time.Time      `json:"signed_in_at,omitzero"`
	Token        statusToken    `json:"token"`
	Store        statusStore    `json:"store"`
	Catalogue    []statusSaved  `json:"catalogue"`
	Proxy        string         `json:"proxy,omitempty"`
	CAFile       string         `json:"ca_file,omitempty"`
	CallbackPort int            `json:"callback_port,omitempty"`
	Options      []statusOption `json:"options"`
	Policy       statusPolicy   `json:"policy"`
	Changed      []changedTool  `json:"changed_tools,omitempty"`
	Notes        []string       `json:"notes,omitempty"`
	Log          statusLog      `json:"log"`
	Journal      statusJournal  `json:"journal"`
	// Profiles are all that there are, this one first; only this one if --profile
	// or --url names it.
	Profiles []statusProfile `json:"profiles"`

	summary *auth.Summary // what the file says, if there is one
}

type statusToken struct {
	Present     bool          `json:"present"`
	ExpiresAt   time.Time     `json:"expires_at,omitzero"`
	Refreshable bool          `json:"refreshable"`
	Scopes      []string      `json:"scopes"`
	LastRefresh *auth.Refresh `json:"last_refresh,omitempty"`
}

// statusSaved is what is kept of the server's answers in one protocol version.
type statusSaved struct {
	Version string    `json:"protocol_version"`
	SavedAt time.Time `json:"saved_at"`
}

// statusLog is where `payu-mcp logs` reads.
type statusLog struct {
	File string `json:"file"`
}

type statusStore struct {
	Kind       string    `json:"kind,omitempty"`
	Folder     string    `json:"folder"`
	SavedAt    time.Time `json:"saved_at,omitzero"`
	Generation uint64    `json:"generation,omitempty"`
	Unsaved    string    `json:"unsaved,omitempty"`
}

const statusLong = `Show the stored login, and a line for each other one. It asks neither the keychain nor
the network, and shows no secret. With --profile or --url it is about that one alone.
The exit code is 3 when none of the profiles that are shown has somebody signed in.`

func newStatusCmd(e env, o *options) *cobra.Command {
	var asJSON, acknowledge bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show who is signed in where, until when, and where it is stored",
		Long:  statusLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.resolve(cmd, e.getenv); err != nil {
				return err
			}
			err := runStatus(e, o, asJSON)
			if acknowledge && (err == nil || errors.Is(err, errSignedOut)) { // they have been shown
				err = errors.Join(err, changedToolsOf(o).acknowledge())
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&acknowledge, "acknowledge", false, "show changed tools for the last time")
	addLoginFlags(cmd.Flags(), &o.login)
	return cmd
}

func runStatus(e env, o *options, asJSON bool) error {
	r, err := newStatusReport(o)
	if err != nil {
		return err
	}
	r.Options = o.inForce(e.getenv, r.summary != nil && r.summary.ClientSecret)
	r.Proxy = proxyIn(r.Options)
	r.Policy, r.Changed, r.Journal = o.statusPolicy(), changedToolsOf(o).unseen(), o.statusJournal()
	r.Notes = append(r.Notes, r.Journal.notes(o)...)
	if note := o.proxyNote(e.getenv); note != "" {
		r.Notes = append(r.Notes, note)
	}
	if err := r.listProfiles(o); err != nil {
		return err
	}
	write := r.text
	if asJSON {
		write = r.json
	}
	if err := write(e.stdout); err != nil {
		return err
	}
	if !r.anySignedIn() {
		return errSignedOut
	}
	return nil
}

func newStatusReport(o *options) (*statusReport, error) {
	r := &statusReport{
		Version: buildinfo.Version(), Profile: o.profile, Endpoint: o.login.URL,
		CAFile: o.login.CAFile, CallbackPort: o.login.CallbackPort,
		Store: statusStore{Folder: o.stateDir}, State: "signed out", Log: statusLog{o.logPath()},
	}
	fill(&r.Endpoint, auth.PayUEndpoint)
	r.Token.Scopes, r.Catalogue = []string{}, savedVersions(newShelf(o.stateDir, o.profile, r.Endpoint).Ages())
	h, note, err := keychain.Peek(o.stateDir, o.profile, r.Endpoint)
	if err == nil && h != nil && h.Kind == keychain.KindFile {
		err = opens(o, r.Endpoint) // no keychain is needed for that
	}
	if err != nil {
		return nil, err
	}
	if h != nil {
		if err := r.fromHeader(h); err != nil {
			return nil, err
		}
	}
	r.fromNote(note)
	if f, err := os.CreateTemp(o.stateDir, ".probe-*"); err == nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
	} else if h != nil {
		r.Notes = append(r.Notes, "the folder cannot be written now: a renewed login would be kept in memory only")
	}
	return r, nil
}

// opens tells whether the sealed file can be opened with the key beside it.
func opens(o *options, endpoint string) error {
	s, err := keychain.Open(keychain.Options{Dir: o.stateDir, Profile: o.profile, Resource: endpoint, Kind: keychain.KindFile})
	if err != nil {
		return err
	}
	// It reads two small files, so nothing needs to end it.
	_, err = s.Load(context.Background())
	return errors.Join(err, s.Close())
}

func (r *statusReport) fromHeader(h *keychain.Header) error {
	var s auth.Summary
	if err := json.Unmarshal(h.Public, &s); err != nil {
		return fmt.Errorf("reading the stored login: %w", err)
	}
	r.summary, r.SignedIn, r.Issuer, r.ClientID, r.SignedInAt = &s, s.SignedIn, s.Issuer, s.ClientID, s.SignedInAt
	r.Store.Kind, r.Store.SavedAt, r.Store.Generation = string(h.Kind), h.SavedAt, h.Generation
	r.Token.Present, r.Token.ExpiresAt, r.Token.Refreshable = s.SignedIn, s.Expiry, s.Refreshable
	if s.Scopes != nil {
		r.Token.Scopes = s.Scopes
	}
	if !s.LastRefresh.At.IsZero() {
		r.Token.LastRefresh = &s.LastRefresh
	}
	if s.PKCEUnlisted {
		r.Notes = append(r.Notes, "the server does not say that it supports PKCE; it was used all the same")
	}
	r.State = state(s)
	return nil
}

// state names the condition of a login in the words of OAUTH section 4.
func state(s auth.Summary) string {
	text := loginState(s)
	if time.Now().Before(s.OpenUntil) {
		text += "; a sign-in is open in the browser until " + s.OpenUntil.Local().Format(time.TimeOnly)
	}
	return text
}

func loginState(s auth.Summary) string {
	failing := s.LastRefresh.Result != "" && s.LastRefresh.Result != "ok"
	switch {
	case !s.SignedIn && failing:
		return "login needed: " + s.LastRefresh.Result
	case !s.SignedIn:
		return "signed out"
	case failing:
		return "refresh failing since " + s.LastRefresh.At.Local().Format(time.DateTime) + ": " + s.LastRefresh.Result
	case s.Expiry.IsZero() || time.Now().Before(s.Expiry):
		return "valid"
	case s.Refreshable:
		return "expired but refreshable"
	default:
		return "login needed: the access token has expired and there is no refresh token"
	}
}

func (r *statusReport) fromNote(n keychain.Note) {
	switch {
	case n.Unsaved:
		r.Store.Unsaved = n.Reason
		r.Notes = append(r.Notes, fmt.Sprintf("a running payu-mcp (process %d) holds a newer login that it could not save since %s: %s", n.PID, n.Since.Local().Format(time.DateTime), n.Reason))
	case n.Cut:
		r.Notes = append(r.Notes, "a payu-mcp was killed while it changed the login; if that was a renewal, you may have to sign in again")
	case n.Lost:
		r.Notes = append(r.Notes, "a payu-mcp ended before it could save a newer login ("+n.Reason+"); you may have to sign in again")
	}
}

func (r *statusReport) json(w io.Writer) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the status: %w", err)
	}
	_, err = w.Write(append(printable.JSON(b), '\n'))
	return err
}

// longestValue is for what is printed of one thing, in characters: some of it is
// the server's.
const longestValue = 4000

func (r *statusReport) text(w io.Writer) error {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-13s %s\n", name, printable.Line(value, longestValue))
		}
	}
	line("profile", r.Profile)
	line("endpoint", r.Endpoint)
	line("login", r.State)
	if r.summary != nil && r.SignedIn {
		line("valid", validity(*r.summary))
		line("scopes", strings.Join(r.Token.Scopes, " "))
		line("server", r.Issuer)
		line("client id", r.ClientID)
		line("stored in", describeStore(keychain.Kind(r.Store.Kind)))
	}
	line("catalogue", r.catalogueText())
	line("folder", r.Store.Folder)
	line("log", r.Log.File)
	line("journal", r.Journal.text())
	for _, o := range r.Options {
		line("option", o.text())
	}
	line("policy", r.Policy.text())
	for _, c := range r.Changed {
		line("changed", c.text())
	}
	for _, n := range r.Notes {
		line("note", n)
	}
	for _, p := range r.Profiles[1:] {
		line("other login", p.Profile+": "+p.State+", at "+p.Endpoint)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
