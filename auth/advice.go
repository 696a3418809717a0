package auth

// Whom to ask and what to try, in the words that several messages share. Each says
// what the server's side lacks, the option that helps, and whom to write to.

// payuContacts are those who can change something at PayU (PAYU P13, P28).
const payuContacts = "your key account manager at PayU or ai-solutions@payu.in"

// payuContact says whom to write to when the server's side lacks something.
func payuContact(resource string) string {
	if !isPayU(resource) {
		return "Ask whoever runs the server"
	}
	return "Write to " + payuContacts + ", with this message and the time"
}

// byHand is for a server where clients are registered by hand (OAUTH A11).
func byHand(resource string) string {
	return "a client must be registered by hand: ask for a client id with the redirect URI http://127.0.0.1:PORT/callback, the PORT being of your choice, " +
		"and give it with --client-id and --callback-port, and with --client-secret-file if a secret comes with it. " + payuContact(resource)
}

// otherRedirect is for a server that does not take our redirect URI (OAUTH A14).
func otherRedirect(resource string) string {
	return "if the server wants a fixed port give --callback-port; if it registers by hand give --client-id. " + payuContact(resource)
}

// tryAgain is for what may pass.
func tryAgain(resource string) string {
	return "try again: payu-mcp login. If it stays so, it is on the server's side. " + payuContact(resource)
}

// documentAdvice is for a client id metadata document that is refused.
const documentAdvice = "check --client-metadata-url, and that the server can read the document there"

// clientOption names the option that a client which is no dynamic one comes from.
func clientOption(r Registration) string {
	if r.Document {
		return "--client-metadata-url"
	}
	return "--client-id"
}

// secretAdvice is for a client that the user named and the token endpoint refuses
// (PAYU E8).
func secretAdvice(r Registration, resource string) string {
	switch {
	case r.Document:
		return documentAdvice + ". " + payuContact(resource)
	case r.Secret == "":
		return "the server wants another client id, or a secret with it: check --client-id, and give the secret with --client-secret-file. " + payuContact(resource)
	}
	return "check --client-id and the file of --client-secret-file. " + payuContact(resource)
}

// refusedAdvice is for such a client that worked and does not any more.
func refusedAdvice(r Registration) string {
	if r.Document {
		return documentAdvice + ", then run payu-mcp login"
	}
	return "check --client-id and --client-secret-file, then run payu-mcp login"
}

// unfinishedAdvice is for a person who may have seen a page that nobody told us of.
func (c *Client) unfinishedAdvice(a *Attempt) string {
	text := "start again with payu-mcp login and finish within " + humanLimit(c.cfg.SignInLimit) + ". If the page ended with an error: "
	if a.Registration.Dynamic {
		text += "the next try registers this program again"
	} else {
		text += "check " + clientOption(a.Registration)
	}
	text += "; have the redirect URI " + a.RedirectURI + " registered, or give the registered port with --callback-port"
	if isPayU(c.cfg.Resource) {
		text += "; have MCP enabled for the account by " + payuContacts
	}
	return text
}
