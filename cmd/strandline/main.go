// Command strandline is the sync server, and what people ask it with.
package main

import (
	"fmt"
	"os"
)

const usage = `strandline serves action streams to sync runtimes, and reads and writes them.

	strandline demo [--addr 127.0.0.1:8080] [--data DIR]
	        serves the demo, which is in this program, at http://127.0.0.1:8080

	strandline serve [--addr 127.0.0.1:8080] [--data DIR] [--static DIR] [--dist] [--engine sqlite]
	                 [--auth none|secret:FILE|rules|jwks:URL] [--rules FILE] [--deny FILE] [--cors ORIGIN]...
	                 [--judge URL --judge-secret FILE] [--admin ADDR] [--traces URL] [--cert FILE --key FILE]
	                 [--log LEVEL] [--keep N] [--min-free N] and limits
	        is the sync server; --dist shows the browser files that are in this program at /dist/

	strandline backup FILE [--data DIR]
	        copies the database of a data directory into a file, while a server uses it or not

	strandline restore FILE [--data DIR] [--keep-deleted]
	        puts a backup in the place of a data directory's database; what was deleted since is deleted again

	strandline check [--data DIR | FILE]
	        looks at all that a data directory or a backup holds, and says what is wrong with it

	strandline erase --principal NAME [--rules FILE | --keep-streams] [--data DIR]
	strandline erase --object STREAM ID [--data DIR]
	        takes a principal, or an object with all that was written to it, out of a data directory, while a server uses it or not

	strandline export [DIR] [--principal NAME --rules FILE]
	        prints what a data directory holds, or what of it is a principal's, as JSON lines

	strandline tail URL STREAM [--after N] [--token FILE]
	        prints the log, an entry a line, and goes on as it grows

	strandline log URL STREAM --object ID [--token FILE]
	        prints who has changed an object, what and when, a change a line

	strandline replay FILE [--stream NAME] [--steps] [--rows]
	        goes through the local logs of a bundle (db.export, or the inspector's), record by record, to what the page held

	strandline append URL STREAM [--token FILE]
	        makes an action of each line of its input, an op or an array of ops as JSON, and prints index and id of each

	strandline version
	        says which version this is, and the formats and the protocol that it knows

strandline VERB -h tells what each flag means.
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	switch verb := os.Args[1]; verb {
	case "demo":
		err = demo(os.Args[2:])
	case "serve":
		err = serve(os.Args[2:])
	case "backup":
		err = backup(os.Args[2:])
	case "restore":
		err = restore(os.Args[2:])
	case "check":
		err = check(os.Args[2:])
	case "erase":
		err = erase(os.Args[2:])
	case "export":
		err = export(os.Args[2:])
	case "log":
		err = history(os.Args[2:])
	case "replay":
		err = replayBundle(os.Args[2:])
	case "tail":
		err = tail(os.Args[2:])
	case "append":
		err = appendActions(os.Args[2:])
	case "version", "-version", "--version":
		err = version(os.Args[2:])
	case "help", "-h", "--help":
		fmt.Print(usage)
	default:
		err = fmt.Errorf("there is no command %q\n\n%s", verb, usage)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "strandline:", err)
		os.Exit(1)
	}
}
