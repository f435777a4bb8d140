"""What people read of a bundle: one HTML file that needs nothing but itself."""
