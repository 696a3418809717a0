package bridge

import (
	"errors"
	"strings"

	"github.com/payu-mcp/payu-mcp/bridge/policy"
	"github.com/payu-mcp/payu-mcp/internal/hint"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// Every sentence that the bridge itself says to a model and its person about
// signing in stands here, and in docs/errors.md; a test holds the two together.
// They name no command that a person may not have: a bundle puts none on the
// PATH (HOSTS P8).

// notice is a text as the result of a tool call.
type notice struct {
	text string
	good bool // it is no error

	signIn bool // it asks for a sign-in: why the earlier one is gone is worth a word
}

const (
	descriptionLogin = "Sign in to PayU. Use it when PayU's tools are missing or say that nobody is signed in. It opens PayU's sign-in page for the user and waits a while for it."
	descriptionList  = "List the tools of PayU with their input schemas, also when this program does not show them. Signs in first if that is needed."
	descriptionCall  = "Use a tool of PayU by its name, also when this program does not show it. Ask payu_list_tools first for names and input schemas. It may create payment links or move money: everything that holds for the tool itself holds here."

	instructionsSignedOut   = "Nobody is signed in to PayU yet. When the user wants something from PayU, call payu_login (or payu_call_tool, which signs in too). After the sign-in PayU's own tools appear; if they do not, use payu_list_tools and payu_call_tool."
	instructionsEnded       = "PayU has ended the sign-in. When the user wants something from PayU, call payu_login. After it PayU's own tools appear; if they do not, use payu_list_tools and payu_call_tool."
	instructionsUnreachable = "PayU could not be reached when this program started. When the user wants something from PayU, call payu_list_tools: it tries again and says what is wrong. Use the tools with payu_call_tool if they do not appear."

	hintCallLogin = "ask the user to sign in: call payu_login, or any tool of PayU"

	textDialog  = "payu-mcp needs you to sign in to PayU. The page is PayU's own; choose the account that your assistant shall use."
	textWaiting = "Waiting for the PayU sign-in in the browser"
	textList    = "PayU's tools, as JSON. Use one with payu_call_tool.\n"

	textAsking = "Waiting for the user to say yes or no"

	tellTheUser = " Nothing was sent to PayU. Tell the user; only the user can change that, in the settings of payu-mcp."
	whenDone    = " When the user says that it is done, repeat the request."
)

func good(text string) notice { return notice{text: text, good: true} }
func bad(text string) notice  { return notice{text: text} }
func asks(text string) notice { return notice{text: text, signIn: true} }

// The constant notices.
const (
	sentenceNotSent  = "You are signed in. Nothing was sent to PayU. Repeat the request."
	sentenceEnded    = "PayU has ended the sign-in that was there: it was revoked in PayU's dashboard, or it has expired."
	sentenceSignedIn = "You are signed in to PayU. PayU's own tools are available now; if they are not shown, use payu_list_tools and payu_call_tool."
	sentenceBadInner = "payu_call_tool needs the name of a tool of PayU, and cannot be used for payu_login, payu_list_tools or itself. Nothing was sent. Ask payu_list_tools for the names."
)

// What becomes of a call that its person is asked about.
const (
	sentenceRefused    = "The user was asked and did not say yes, so nothing was sent to PayU. Do not try again unless the user asks for it."
	sentenceUnanswered = "The user was asked and did not answer in time, so nothing was sent to PayU. Ask the user before you repeat the request."
	sentenceStale      = "This answer is not to a question that is still open, or the request is another one than the user was asked about. Nothing was sent to PayU. Repeat the request as it was, without the answer, to ask again."
)

func instructions(s state) string {
	switch s {
	case endedByPayU:
		return instructionsEnded
	case unreachable, connected:
		return instructionsUnreachable
	case signedOut, signingIn, states:
	}
	return instructionsSignedOut
}

func place(address string) string {
	if address == "" {
		return "in the browser"
	}
	return "at " + address
}

// textStillOpen: the call cannot be held any longer.
func textStillOpen(inv Invitation) notice {
	return asks("The PayU sign-in is still open, and nothing was sent to PayU. Ask the user to finish it " + place(inv.URL) + "." + whenDone)
}

// textOpenByHand: there is no browser to open here.
func textOpenByHand(inv Invitation) notice {
	return asks("Nobody is signed in to PayU, and no browser can be opened here. Nothing was sent to PayU. Ask the user to open this address on this computer and to sign in: " + inv.URL + " ." + whenDone)
}

// textElsewhere: another bridge has the sign-in open.
func textElsewhere(inv Invitation) notice {
	by := ""
	if inv.By != "" {
		by = " (started by " + clean(inv.By) + ")"
	}
	return asks("A PayU sign-in is open already" + by + ". Nothing was sent to PayU. Ask the user to finish it " + place(inv.URL) + "." + whenDone)
}

// textDeclined: the host's person, or the host itself, said no to the address.
func textDeclined(inv Invitation) notice {
	text := "The PayU sign-in was not opened, so nothing was sent to PayU."
	if inv.URL != "" {
		text += " If the user wants to sign in after all, this address is open for ten minutes: " + inv.URL + " ."
	}
	return asks(text + " Do not try again unless the user asks for it.")
}

// textFailed: the sign-in has ended without a login.
func textFailed(err error) notice {
	return asks("The PayU sign-in did not succeed, and nothing was sent to PayU: " + explain(err))
}

// textRefusedAgain: the server does not take the new login.
func textRefusedAgain(err error) notice {
	return bad("PayU refuses the new sign-in as well, so the request did not run: " + explain(err))
}

// textNoList: the tools could not be listed.
func textNoList(err error) notice {
	return bad("PayU's tools cannot be listed now: " + explain(err))
}

// explain is an error with what helps, as sentences.
func explain(err error) string {
	text := strings.TrimSuffix(err.Error(), ".") + "."
	if h := hint.Of(err); h != "" {
		text += " What helps: " + h + "."
	}
	return text
}

// clean makes the name that a host gives itself fit for a sentence.
func clean(name string) string { return printable.Line(name, maxName) }

const maxName = 60

var errSlowSignIn = hint.With(errors.New("PayU's sign-in page could not be found in time"), "check the network, then repeat the request")

// textForbidden: the policy keeps this host from a tool.
func textForbidden(v policy.Verdict, name string) notice {
	tool := clean(name)
	return bad(map[policy.Verdict]string{
		policy.BadName:    "payu-mcp has been told which tools may be used, and the name of this one can be read in several ways.",
		policy.Blocked:    "The user has blocked the tool " + tool + " in payu-mcp.",
		policy.NotAllowed: "The tool " + tool + " is not among those that the user allows in payu-mcp.",
		policy.Unlisted:   "payu-mcp has been told which tools may be used, and PayU's list of tools has none of the name " + tool + ".",
		policy.Writes:     "payu-mcp is set to read only, and PayU does not say that the tool " + tool + " changes nothing.",
	}[v] + tellTheUser)
}

// textCannotAsk: the user is to be asked, and the host cannot.
func textCannotAsk(name string) notice {
	return bad("The user wants to be asked before the tool " + clean(name) + " is used, and this program cannot show the question." + tellTheUser)
}

// textConfirm is the question. Arguments that are too long to read are cut.
func textConfirm(name, arguments string) string {
	shown := printable.Line(arguments, maxArguments)
	if shown == "" {
		shown = "none"
	}
	return "Send this to PayU? The assistant wants to use the tool " + clean(name) + ", which may change something or move money. Arguments: " + shown
}

// maxArguments is how much of a call's arguments a question shows, in characters.
const maxArguments = 4000

// textUnrecorded: the journal cannot take the call.
func textUnrecorded(err error) notice {
	return bad("This computer cannot write to the journal of calls, so nothing was sent to PayU: " + explain(err))
}

// textUnjudged: what a tool does cannot be found out.
func textUnjudged(err error) notice {
	return bad("payu-mcp has been told which tools may be used, and cannot find out what this one does. Nothing was sent to PayU: " + explain(err))
}
