// Package snapshot keeps what a node remembers in files: it knows how they are
// written, named and read, and nothing of what is in them.
//
// # The file
//
//	file    = "FANFARE" version block* end
//	version = 1 byte: 1
//	block   = length crc payload     length and crc: 4 bytes each, little endian
//	payload = section record*        section: 1 byte, chosen by the writer, not 0
//	record  = size bytes             size: unsigned varint
//	end     = a block of section 0 with one record: the number of all records, 8 bytes
//
// The crc is CRC-32C of the payload, length counts its bytes. A block has 64 KiB,
// or one record more than fits. A file without its end is not a snapshot.
//
// # The directory
//
// A snapshot is written to a temporary file, which gets its name when it is
// complete and on the disk: whatever happens to the process or the machine, what
// has a snapshot's name is one. The newest two are kept. One process at a time
// uses a directory.
//
// The file named clean says that the node was stopped in order after its last
// snapshot, and which one that was. It is taken away, durably, by the next start.
package snapshot
