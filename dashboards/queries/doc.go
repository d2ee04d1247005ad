// Package queries is the one source of what boards ask ClickHouse: each figure's SQL, titles in Chinese and
// English, the columns that come back with their units, and the thresholds that colour them. Grafana's boards are
// made of them, and so is any other face, so that the same figure has the same number everywhere.
//
// A query is written with neutral placeholders; ForGrafana puts Grafana's macros and variables in their place,
// Bind the values themselves. It reads the views with the plain names, without a database's name: the
// connection says which. The package must not know how a board looks or where ClickHouse is.
package queries
