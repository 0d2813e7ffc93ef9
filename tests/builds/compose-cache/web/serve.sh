echo "$(cat count.txt) words"
