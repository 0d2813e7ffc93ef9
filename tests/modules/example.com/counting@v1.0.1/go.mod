module example.com/counting

go 1.19
