import itsdangerous

print(itsdangerous.Signer("key").sign("words").decode())
