module example.com/report

go 1.19

require example.com/words v1.2.0

require example.com/counting v1.0.1 // indirect
