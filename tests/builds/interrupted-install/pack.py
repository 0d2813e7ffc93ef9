import brotli
import lz4.frame

text = b"the same words " * 100
print(len(text), brotli.decompress(brotli.compress(text)) == lz4.frame.decompress(lz4.frame.compress(text)))
