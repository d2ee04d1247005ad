// Package normal undoes the disguises of Chinese chat text: it folds what looks or sounds alike and keeps, for
// every rune that it puts out, where in the original it came from. It offers several readings of a text, since
// no single one is right for all detectors. It knows no words and judges nothing.
//
// Everything is one pass over the text with tables that New builds; the cost is linear whatever the input.
package normal
