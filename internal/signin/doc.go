// Package signin says who somebody is and what that role may do: tokens, the keys that sign them, the list
// of revoked ones, and the table of roles and operations.
//
// It must not know frames or connections.
package signin
