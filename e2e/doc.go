// Package e2e holds black-box tests of the whole: the rules against the oracle, and the binary against
// crashes, broken brokers, and real engines. It exports nothing.
package e2e
