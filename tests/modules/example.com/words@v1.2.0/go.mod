module example.com/words

go 1.19

require example.com/counting v1.0.1
