#!/bin/sh
hello | zstd -q | zstd -dq
