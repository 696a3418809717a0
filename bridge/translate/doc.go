// Package translate lets a legacy host (initialize, revisions up to 2025-11-25)
// work with a modern server (2026-07-28, stateless): RELAY M2, rows L3 to L8,
// H11 and T4. It stands between the bridge and the remote and is wired, or
// removed, in one line:
//
//	upstream := translate.New(client, client.Era, log) // client is a *remote.Client
//
// Every message passes as it is, byte for byte, until the initialize of a
// legacy host meets a server that is known as modern or refuses it in the
// modern way. From then on:
//
//   - initialize is answered from server/discover.
//   - Each request carries _meta with the protocol version, the host's info and
//     capabilities, and the log level; no other byte of it changes.
//   - ping, logging/setLevel, resources/subscribe and unsubscribe are answered
//     here; notifications of the host are swallowed. A cancellation closes the
//     stream of its request.
//   - input_required becomes elicitation, sampling and roots requests to the
//     host; the request is sent again with the answers (L6). If the host answers
//     an elicitation with an error, the server reads "cancel": nobody has made a
//     choice. Sampling and roots know no such answer, so an error there ends the
//     request of the host.
//   - subscriptions/listen takes the place of the GET stream. Its notifications
//     keep their subscriptionId, which a legacy host ignores; its
//     acknowledgement and its end stay here.
//   - The errors -32020 to -32022, which a legacy host cannot know, become plain
//     ones, to a call errors of Do. Results keep resultType, ttlMs and cacheScope.
//
// It may import remote and the internal leaves.
package translate
