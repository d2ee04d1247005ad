package moderation

import (
	"github.com/feigeio/feige/internal/moderation/contact"
	"github.com/feigeio/feige/internal/policy"
)

// Flag is a suspected violation in a text or picture.
type Flag struct {
	// Category and Kind are the policy's; SubKind is finer where the detector knows more ("wechat" of
	// "messenger_account"), and Kind again otherwise.
	Category, Kind, SubKind string
	// From and To are rune offsets in the original text, half-open; both 0 where the finding is not in a text.
	From, To int
	// Evidence is what the detector saw after normalising: as confidential as the text.
	Evidence string
	// Detector is which part of the package found it, Version its tables' or model's version.
	Detector, Version string
	// Confidence is from 0 to 1.
	Confidence float64
	Severity   policy.Severity
}

// Detectors.
const (
	DetectorContact    = "contact"
	DetectorLexicon    = "lexicon"
	DetectorClassifier = "classifier"
	DetectorQR         = "qr"
	DetectorFileHash   = "file_hash"
)

// policyKinds are the policy's names of the contacts.
var policyKinds = map[string]string{
	contact.Phone: "phone", contact.WeChat: "messenger_account", contact.QQ: "messenger_account", contact.Messenger: "messenger_account",
	contact.Email: "email", contact.Link: "link", contact.BankCard: "bank_account", contact.PaymentAccount: "payment_account",
	contact.Address: "store_address", contact.QR: "qr_code",
}
