package main

import "net/http"

func serve() {
	http.ListenAndServe(":9090", nil)
}
