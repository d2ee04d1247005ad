// Package export writes the rows of a period to a file: CSV, XLSX, or Parquet. It reads the views row by row and keeps none, so
// that the size of a file is bounded by the disk. A file is there whole or not at all.
//
// It must not know how rows come to be, and none of its tables holds what was written in chats.
package export
