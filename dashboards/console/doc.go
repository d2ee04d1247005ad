// Package console is the built-in console: overview, shop, live reception, agents, assessment, violations, and pipeline as pages in
// a browser, for who has no Grafana (docs/console.md). Its figures come from the same definitions as Grafana's boards
// (dashboards/queries), so that they are the same numbers.
//
// Everything on a page comes by one stream of server-sent events. Viewers who look at the same figure share one query,
// which runs again while anybody looks.
//
// It must not know what a figure means, and shows nothing that was written in chats.
package console
