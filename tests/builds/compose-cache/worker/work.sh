cat queue.conf
