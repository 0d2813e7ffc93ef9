#!/bin/sh
set -e
hello | zstd -c
