// Package contact finds what leads off the platform in a normalised text (2.3): phone numbers, accounts of
// other messengers, e-mail, links, bank cards, payment accounts, street addresses of stores, QR payloads.
//
// A number or a name alone says little, so each finding weighs what stands around it: the words of pack "cues"
// are the context. The package knows nothing of shops, sides, or penalties.
package contact
