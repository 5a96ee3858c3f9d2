"""饮用水水源保护区 drinking-water source protection zones."""
