package keychain

const noFollow = 0
