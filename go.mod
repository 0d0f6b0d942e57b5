module github.com/strandline-sync/strandline

go 1.26.8
